import { expect, it } from 'vitest';
import { MessageBudget } from '../../worker/room/session/message-budget.ts';

const spend = (budget: MessageBudget, count: number, now: number) =>
  Array.from({ length: count }, () => budget.spend(now)).filter(Boolean).length;

it('a budget lets a burst through, and then twenty messages a second', () => {
  const budget = new MessageBudget(0);
  expect(spend(budget, 500, 0)).toBe(100);
});

it('a budget fills again as time passes, up to a burst', () => {
  const budget = new MessageBudget(0);
  expect(spend(budget, 100, 0)).toBe(100);
  expect(spend(budget, 20, 1_000)).toBe(20);
  expect(budget.spend(1_000)).toBe(false);
  const rested = new MessageBudget(0);
  expect(spend(rested, 100, 0)).toBe(100);
  expect(spend(rested, 500, 60_000)).toBe(100);
});
