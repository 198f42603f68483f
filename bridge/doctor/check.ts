/**
 * What a check of the doctor is. A check needs facts that earlier checks have found, provides facts to
 * later ones, and reports what it saw. A check whose facts are missing is skipped. No check changes anything.
 */

import type { KeyObject } from 'node:crypto';
import type { Admin } from 'kafkajs';
import type { Environment } from '../../worker/protocol/environment/variables.ts';
import type { ConsumerConfig, TopicNames } from '../config.ts';
import { remedyOf } from '../remedies.ts';
import type { BrokerConnection } from './kafka/broker-connection.ts';
import type { ClusterView } from './kafka/cluster-view.ts';

/** Everything that checks find out for each other. */
export interface Facts {
  readonly consumer: ConsumerConfig;
  readonly topics: TopicNames;
  readonly eventsUrl: URL;
  readonly keys: readonly KeyObject[];
  /** What answers at the address is a gateway. */
  readonly gateway: true;
  /** Both clocks are close enough for signatures. */
  readonly clock: true;
  readonly cluster: ClusterView;
  /** A connection to each broker, at the address that it names. */
  readonly brokers: readonly BrokerConnection[];
  /** It is there once each broker is reached where it says it is. */
  readonly admin: Admin;
  /** The topics that exist, and their dead-letter topics that exist. */
  readonly present: { readonly topics: readonly string[]; readonly deadLetters: readonly string[] };
  /** The user may read as a member of the group. */
  readonly membership: true;
}
export type FactName = keyof Facts;

/** What every check is given. */
export interface Means {
  readonly env: Environment;
  /** Unix ms. */
  readonly now: () => number;
  /** How long one host may take to answer, in ms. */
  readonly patienceMs: number;
  /** Is done when the doctor has finished. */
  readonly atEnd: (close: () => unknown) => void;
}

export type Status = 'ok' | 'warning' | 'failed';

/** One thing that a check saw. */
export interface Observation {
  readonly status: Status;
  /** A stable word for what is wrong; none when nothing is. */
  readonly code?: string;
  /** Which broker, topic or secret it is about, when there are several. */
  readonly subject?: string;
  readonly message: string;
  readonly remedy?: string;
}

export interface Outcome {
  readonly observations: readonly Observation[];
  readonly facts?: Partial<Facts>;
}

export interface Check {
  readonly id: string;
  readonly needs: readonly FactName[];
  readonly provides: readonly FactName[];
  run(facts: Partial<Facts>, means: Means): Promise<Outcome>;
}

interface CheckOf<Need extends FactName> extends Omit<Check, 'needs' | 'provides' | 'run'> {
  readonly needs: readonly Need[];
  readonly provides?: readonly FactName[];
  readonly run: (facts: Pick<Facts, Need>, means: Means) => Promise<Outcome>;
}

/** A check whose `run` is given just the facts that it needs. */
export function check<Need extends FactName>({
  id,
  needs,
  provides = [],
  run,
}: CheckOf<Need>): Check {
  const has = (facts: Partial<Facts>): facts is Pick<Facts, Need> & Partial<Facts> =>
    needs.every((name) => facts[name] !== undefined);
  return {
    id,
    needs,
    provides,
    run: async (facts, means) => {
      if (!has(facts)) throw new Error(`${id} lacks ${needs.join(', ')}`);
      return run(facts, means);
    },
  };
}

export function fine(message: string, subject?: string): Observation {
  return { status: 'ok', message, ...(subject === undefined ? {} : { subject }) };
}

export function failure(code: string, message: string, more: Partial<Observation> = {}) {
  return trouble('failed', code, message, more);
}

/** It does not stop the bridge now, and may later. */
export function warning(code: string, message: string, more: Partial<Observation> = {}) {
  return trouble('warning', code, message, more);
}

function trouble(
  status: Status,
  code: string,
  message: string,
  more: Partial<Observation>,
): Observation {
  const remedy = remedyOf(code);
  return { status, code, message, ...(remedy === undefined ? {} : { remedy }), ...more };
}

/** What a check saw, and the facts that it provides to later ones. */
export function outcome(observations: readonly Observation[], facts: Partial<Facts> = {}): Outcome {
  return { observations, facts };
}
