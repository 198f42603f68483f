/** What can be said of a secret without asking the Worker. */
import {
  DEVELOPMENT_INGEST_SECRET,
  DEVELOPMENT_PUBLISHER_SECRET,
} from '../../../worker/protocol/environment/development.ts';
import { list } from '../../../worker/protocol/environment/variables.ts';
import { check, failure, fine, type Observation, outcome } from '../check.ts';
import { isLocal, secretSubject } from '../gateway.ts';

export const secretCheck = check({
  id: 'secret',
  needs: ['keys', 'eventsUrl'],
  run: async ({ eventsUrl }, { env }) => {
    const secrets = list(env.INGEST_SECRET ?? '');
    const publishers = new Set(list(env.PUBLISHER_SECRET ?? ''));
    const judge = (secret: string): [code: string, message: string] | undefined => {
      if (secret === DEVELOPMENT_PUBLISHER_SECRET) {
        return ['secret_of_publisher', 'INGEST_SECRET is the development secret of publishers.'];
      }
      if (publishers.has(secret)) {
        return [
          'secret_of_publisher',
          'INGEST_SECRET and PUBLISHER_SECRET have a secret in common.',
        ];
      }
      if (secret === DEVELOPMENT_INGEST_SECRET && !isLocal(eventsUrl)) {
        const where = eventsUrl.host;
        return ['secret_public', `INGEST_SECRET is the public development secret, at ${where}.`];
      }
      return undefined;
    };
    const observations = secrets.flatMap((secret, index): Observation[] => {
      const found = judge(secret);
      if (found === undefined) return [];
      return [failure(...found, secretSubject(index, secrets.length))];
    });
    if (observations.length > 0) return outcome(observations);
    const isDevelopment = secrets.includes(DEVELOPMENT_INGEST_SECRET);
    return outcome([
      fine(
        isDevelopment
          ? 'INGEST_SECRET is the development secret, which is right for a local stack only.'
          : "INGEST_SECRET is neither a public secret nor known to be a publisher's.",
      ),
    ]);
  },
});
