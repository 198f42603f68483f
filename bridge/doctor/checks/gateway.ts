/** Whether the gateway is reached, has the time that we have, and accepts our signature. */

import { TOLERANCE_SECONDS } from '../../../worker/protocol/batch/signature.ts';
import { PROTOCOL_VERSION } from '../../../worker/protocol/frames.ts';
import { type Check, check, failure, fine, outcome, warning } from '../check.ts';
import { askHealth, probe, type Refusal, secretSubject, shownUrl } from '../gateway.ts';

/** A clock that is off by more than this will soon be off by too much. */
const DRIFT_SECONDS = 60;

export const gatewayChecks: readonly Check[] = [
  check({
    id: 'gateway.reach',
    needs: ['eventsUrl'],
    provides: ['gateway'],
    run: async ({ eventsUrl }, { patienceMs }) => {
      const health = await askHealth(eventsUrl, patienceMs);
      if (health.kind === 'retry') return outcome([refused(health, eventsUrl)]);
      const where = shownUrl(new URL('..', eventsUrl));
      const { protocol } = health;
      return outcome(
        [
          protocol === PROTOCOL_VERSION
            ? fine(`The gateway at ${where} is healthy and speaks protocol ${PROTOCOL_VERSION}.`)
            : warning(
                'protocol_differs',
                `The gateway at ${where} speaks protocol ${protocol}, and this version ${PROTOCOL_VERSION}.`,
              ),
        ],
        { gateway: true },
      );
    },
  }),

  // The gateway judges the time before the signature, so this needs no secret that is known. It does not
  // go by the Date header, which a proxy may have set, and which is not there everywhere.
  check({
    id: 'gateway.clock',
    needs: ['gateway', 'eventsUrl', 'keys'],
    provides: ['clock'],
    run: async ({ eventsUrl, keys }, { now, patienceMs }) => {
      const isStale = async (aheadSeconds: number) => {
        const time = now() + aheadSeconds * 1000;
        const refusal = await probe(eventsUrl, keys, time, patienceMs);
        return refusal?.reason === 'signature_stale' ? refusal : undefined;
      };
      const stale = await isStale(0);
      if (stale !== undefined) return outcome([refused(stale, eventsUrl)]);
      const nearlyStale = TOLERANCE_SECONDS - DRIFT_SECONDS;
      const drift = async (aheadSeconds: number, how: string) =>
        (await isStale(aheadSeconds)) === undefined
          ? undefined
          : `This host's clock is more than ${DRIFT_SECONDS} s ${how} the gateway's.`;
      const message =
        (await drift(nearlyStale, 'ahead of')) ?? (await drift(-nearlyStale, 'behind'));
      return outcome(
        [
          message === undefined
            ? fine(
                `The clocks of this host and of the gateway differ by ${DRIFT_SECONDS} s at most.`,
              )
            : warning('clock_drifts', message),
        ],
        { clock: true },
      );
    },
  }),

  check({
    id: 'gateway.signature',
    needs: ['gateway', 'clock', 'eventsUrl', 'keys'],
    run: async ({ eventsUrl, keys }, { now, patienceMs }) => {
      const refusal = await probe(eventsUrl, keys, now(), patienceMs);
      if (refusal !== undefined) return outcome([refused(refusal, eventsUrl)]);
      const accepted = fine("The gateway accepts the signature as a bridge's. It took no event.");
      if (keys.length === 1) return outcome([accepted]);
      const each = keys.map(async (key, index) => {
        const { reason } = (await probe(eventsUrl, [key], now(), patienceMs)) ?? {};
        if (reason === undefined) return [];
        const message = `The gateway does not accept this one by itself (${reason}).`;
        return [warning('secret_unknown', message, secretSubject(index, keys.length))];
      });
      return outcome([accepted, ...(await Promise.all(each)).flat()]);
    },
  }),
];

function refused({ reason, message }: Refusal, url: URL) {
  const said = message === undefined ? '' : ` (${message})`;
  return failure(reason, `${shownUrl(url)} does not serve us: ${reason}${said}.`);
}
