/** What stands between a publisher and a Worker, for a test to decide of each POST what becomes of it. */
import type { GatewayPost } from '../../bridge/publisher/http/gateway-sender.ts';

export interface SentPost {
  readonly id: string;
  readonly signature: string;
  readonly bytes: number;
  readonly records: { topic: string; value: { data: Record<string, unknown> } }[];
}

/** `pass`: on to the Worker. `lose_answer`: on to the Worker, but its answer never comes back. */
export type Fate =
  | 'pass'
  | 'lose'
  | 'lose_answer'
  | { status: number; body?: unknown; headers?: Record<string, string> };

export class FakeGateway {
  readonly posts: SentPost[] = [];
  mostAtOnce = 0;
  /** What becomes of the next POSTs, then `otherwise`. */
  readonly fates: Fate[] = [];
  otherwise: Fate = 'pass';
  readonly #onwards: GatewayPost;
  #underWay = 0;

  constructor(onwards: GatewayPost = fetch) {
    this.#onwards = onwards;
  }

  readonly post: GatewayPost = async (url, init) => {
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#underWay);
    try {
      const { records } = JSON.parse(new TextDecoder().decode(init.body));
      this.posts.push({
        id: init.headers['webhook-id'] ?? '',
        signature: init.headers['webhook-signature'] ?? '',
        bytes: init.body.length,
        records,
      });
      const fate = this.fates.shift() ?? this.otherwise;
      if (fate === 'lose') throw new TypeError('fetch failed');
      if (typeof fate === 'object') {
        const { status, body = {}, headers = {} } = fate;
        return Response.json(body, { status, headers });
      }
      const answer = await this.#onwards(url, init);
      if (fate === 'lose_answer') throw new TypeError('fetch failed');
      return answer;
    } finally {
      this.#underWay--;
    }
  };
}

/** Takes everything, as a Worker does. */
export const takeAll: GatewayPost = async (_, { body }) => {
  const { records } = JSON.parse(new TextDecoder().decode(body));
  return Response.json({ accepted: records.length, duplicates: 0, rejected: [] });
};
