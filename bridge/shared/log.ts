/** Structured logs on standard output, with those of kafkajs among them. */
import kafkajs, { type logCreator } from 'kafkajs';
import { type Logger, pino } from 'pino';

export type { Logger } from 'pino';

export function createLog(level: string): Logger {
  return pino({ name: 'bridge', level });
}

/**
 * What kafkajs says is logged at `debug`: it logs each pause at `info` and each attempt on a broker that
 * is down at `error`, while the bridge itself logs what comes of it.
 */
export function kafkaLog(log: Logger): { logLevel: number; logCreator: logCreator } {
  const { logLevel } = kafkajs;
  return {
    logLevel: log.isLevelEnabled('debug') ? logLevel.INFO : logLevel.NOTHING,
    logCreator:
      () =>
      ({ namespace, log: { message, timestamp: _, logger: __, ...fields } }) => {
        const entry = { ...fields, namespace };
        log.debug(entry, `kafkajs: ${message}`);
      },
  };
}
