/** Runs the checks one after the other, from what is configured to what others answer. */

import { troubleOf } from '../kafka/kafka-error.ts';
import {
  type Check,
  type Facts,
  failure,
  type Means,
  type Observation,
  type Outcome,
  outcome,
} from './check.ts';
import { brokerChecks } from './checks/brokers.ts';
import { gatewayChecks } from './checks/gateway.ts';
import { groupChecks } from './checks/group.ts';
import { recordTimeChecks } from './checks/record-times.ts';
import { rightChecks } from './checks/rights.ts';
import { secretCheck } from './checks/secrets.ts';
import { topicChecks } from './checks/topics.ts';
import { variableChecks } from './checks/variables.ts';

const CHECKS: readonly Check[] = [
  ...variableChecks,
  secretCheck,
  ...gatewayChecks,
  ...brokerChecks,
  ...topicChecks,
  ...rightChecks,
  ...groupChecks,
  ...recordTimeChecks,
];

/** A check may ask several questions one after the other, each of which is answered within moments. */
const MOST_PATIENCES = 3;

/** What one check has come to. */
export type Finding =
  | (Observation & { readonly check: string })
  | { readonly check: string; readonly status: 'skipped'; readonly because: string };

export async function examine(
  means: Omit<Means, 'atEnd'>,
  checks: readonly Check[] = CHECKS,
): Promise<Finding[]> {
  const closing: (() => unknown)[] = [];
  const atEnd = (close: () => unknown) => void closing.push(close);
  const findings: Finding[] = [];
  let facts: Partial<Facts> = {};
  for (const { id, needs, run } of checks) {
    const lacking = needs.find((name) => facts[name] === undefined);
    if (lacking !== undefined) {
      const provider = checks.find(({ provides }) => provides.includes(lacking))?.id ?? lacking;
      findings.push({ check: id, status: 'skipped', because: causeOf(provider, findings) });
      continue;
    }
    const found = await withinTime(run(facts, { ...means, atEnd }), means.patienceMs);
    facts = { ...facts, ...found.facts };
    findings.push(...found.observations.map((observation) => ({ check: id, ...observation })));
  }
  await Promise.allSettled(closing.map((close) => close()));
  return findings;
}

/** A check that was skipped itself is the cause of nothing. */
function causeOf(giver: string, findings: readonly Finding[]): string {
  const finding = findings.find(({ check }) => check === giver);
  return finding?.status === 'skipped' ? finding.because : giver;
}

/** What `running` comes to. Kafka may fail or fall silent in the middle of a check, too. */
async function withinTime(running: Promise<Outcome>, patienceMs: number): Promise<Outcome> {
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const limitMs = MOST_PATIENCES * patienceMs;
  const message = `The check did not come to an end within ${limitMs / 1000} s.`;
  const late = setTimeout(() => resolve(outcome([failure('no_answer', message)])), limitMs);
  try {
    return await Promise.race([running, promise]);
  } catch (error) {
    const { reason, message } = troubleOf(error, []);
    return outcome([failure(reason, `The check did not come to an end: ${message ?? reason}.`)]);
  } finally {
    clearTimeout(late);
  }
}

export function isHealthy(findings: readonly Finding[]): boolean {
  return findings.every(({ status }) => status === 'ok' || status === 'warning');
}
