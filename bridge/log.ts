/** Structured logs on stdout, and kafkajs's among them. */
import kafkajs, { type logCreator } from 'kafkajs';
import { type Logger, pino } from 'pino';

export type { Logger } from 'pino';

export function createLog(level: string): Logger {
  return pino({ name: 'bridge', level });
}

/** kafkajs tells each pause and each join at `info`: that is our `debug`. */
export function kafkaLog(log: Logger): { logLevel: number; logCreator: logCreator } {
  const { logLevel } = kafkajs;
  return {
    logLevel: log.isLevelEnabled('debug') ? logLevel.INFO : logLevel.WARN,
    logCreator:
      () =>
      ({ level, namespace, log: { message, timestamp: _, logger: __, ...fields } }) => {
        const entry = { ...fields, namespace };
        const text = `kafkajs: ${message}`;
        if (level === logLevel.ERROR) log.warn(entry, text);
        else log.debug(entry, text);
      },
  };
}
