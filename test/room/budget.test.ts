import { expect, it } from 'vitest';
import { Budget } from '../../worker/room/delivery/budget.ts';

/** A hundred messages at once, and twenty a second. */
const messages = () => new Budget(100, 20 / 1_000);

/** How many of `count` messages are let through. */
const spend = (budget: Budget, count: number, now: number) =>
  Array.from({ length: count }, () => {
    const isAffordable = budget.affords(now);
    if (isAffordable) budget.spend(1, now);
    return isAffordable;
  }).filter(Boolean).length;

it('a budget lets a burst through, and then twenty messages a second', () => {
  const budget = messages();
  expect(spend(budget, 500, 0)).toBe(100);
});

it('a budget fills again as time passes, up to a burst', () => {
  const budget = messages();
  expect(spend(budget, 100, 0)).toBe(100);
  expect(spend(budget, 20, 1_000)).toBe(20);
  expect(budget.affords(1_000)).toBe(false);
  const rested = messages();
  expect(spend(rested, 100, 0)).toBe(100);
  expect(spend(rested, 500, 60_000)).toBe(100);
});

it('a budget that is spent beyond what is left is affordable when the debt is paid', () => {
  const budget = new Budget(10, 0.5);
  budget.spend(30, 1_000);
  expect([budget.affords(1_040), budget.affords(1_041), budget.affordableAt]).toEqual([
    false,
    true,
    1_040,
  ]);
});

it('a budget does not fill while what is spent is waited for', () => {
  const budget = new Budget(10, 0.5);
  budget.spend(15, 1_000);
  budget.spend(10, 1_050, 1_010);
  expect(budget.affordableAt).toBe(1_070);
});
