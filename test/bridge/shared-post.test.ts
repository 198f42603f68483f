import { describe, expect, test } from 'vitest';
import { Batcher, type Body } from '../../bridge/delivery/batcher.ts';
import type { Verdict } from '../../bridge/delivery/post/answer.ts';
import type { Sent } from '../../bridge/delivery/post/sender.ts';
import { SharedPost } from '../../bridge/delivery/post/shared-post.ts';
import { type Stop, StopController } from '../../bridge/delivery/stop.ts';
import { offsetsOf, record } from './records.ts';

const TOPIC = 'price.updates';
const NOW = Date.parse('2026-01-01T00:00:00Z');
const batcher = new Batcher('cluster', { maxRecords: 10, maxBytes: 10_000 }, '', () => NOW);

/** A body of these offsets of a partition. */
function bodyOf(partition: number, ...offsets: number[]): Body {
  return batcher.compose(
    { topic: TOPIC, partition },
    offsets.map((offset) => record(offset)),
  );
}

function accept({ records }: Body): Sent {
  return { kind: 'accepted', accepted: records.length, duplicates: 0, rejected: [] };
}

/** What a POST brings: `0:4` is offset 4 of partition 0. */
function contentOf({ bytes }: Body): string {
  const { source, records } = JSON.parse(bytes.toString());
  expect(source).toBe('cluster');
  return records
    .map(({ partition, offset }: { partition: number; offset: number }) => `${partition}:${offset}`)
    .join(' ');
}

/** Partitions that share POSTs on a clock that stands still, and what was posted, `+` in company. */
function share(answers: {
  together?: (body: Body, stop: Stop) => Promise<Verdict | undefined>;
  alone?: (body: Body) => Sent | Promise<Sent>;
}) {
  const posts: string[] = [];
  const answered: string[] = [];
  const clock = { now: 0 };
  const post = new SharedPost({
    batcher,
    now: () => clock.now,
    patienceMs: 5,
    observer: { answered: ({ reason }) => answered.push(reason) },
    sender: {
      send: async (_, body) => {
        posts.push(contentOf(body));
        return answers.alone?.(body) ?? accept(body);
      },
      attempt: async (body, stop) => {
        posts.push(`+ ${contentOf(body)}`);
        if (answers.together !== undefined) return answers.together(body, stop);
        return accept(body) as Verdict;
      },
    },
  });
  const stop = new StopController();
  const send = (partition: number, ...offsets: number[]) =>
    post.send(`${TOPIC}/${partition}`, bodyOf(partition, ...offsets), stop);
  /** Each partition has been answered quickly. */
  const begin = async (...partitions: number[]) => {
    await Promise.all(partitions.map((partition) => send(partition, 0)));
    posts.length = 0;
  };
  return { send, begin, posts, answered, clock, stop };
}

describe('partitions', () => {
  test('share a POST when they have something at the same time, and each gets its own part of the answer', async () => {
    const { send, begin, posts } = share({
      together: async () => ({
        kind: 'accepted',
        accepted: 2,
        duplicates: 1,
        rejected: [
          { index: 1, code: 'data_invalid', message: 'of 0' },
          { index: 3, code: 'type_unknown', message: 'of 1' },
        ],
      }),
    });
    await begin(0, 1);
    const [first, second] = await Promise.all([send(0, 1, 2), send(1, 7, 8, 9)]);
    expect(posts).toEqual(['+ 0:1 0:2 1:7 1:8 1:9']);
    expect(first).toMatchObject({ rejected: [{ index: 1, code: 'data_invalid' }] });
    expect(second).toMatchObject({ rejected: [{ index: 1, code: 'type_unknown' }] });
    const counts = [first, second].map((sent) =>
      sent?.kind === 'accepted' ? sent.accepted + sent.duplicates : 0,
    );
    expect(counts).toEqual([1, 2]);
  });

  test('go alone at the beginning, after a slow answer, and when nobody else has anything', async () => {
    const { send, posts, clock } = share({
      alone: (body) => {
        if (posts.length === 3) clock.now += 1_000;
        return accept(body);
      },
    });
    await Promise.all([send(0, 0), send(1, 0)]);
    await send(0, 1);
    await Promise.all([send(0, 2), send(1, 1)]);
    expect(posts).toEqual(['0:0', '1:0', '0:1', '0:2', '1:1']);
  });

  test('do not share a body that is large by itself, nor more than fits into a POST', async () => {
    const { send, begin, posts } = share({});
    await begin(0, 1, 2);
    await Promise.all([send(0, 1, 2, 3, 4), send(1, 1, 2, 3, 4), send(2, 1, 2, 3, 4)]);
    expect(posts.toSorted()).toEqual(['+ 0:1 0:2 0:3 0:4 1:1 1:2 1:3 1:4', '2:1 2:2 2:3 2:4']);
  });

  test.each<Verdict>([
    { kind: 'retry', reason: 'room_unavailable' },
    { kind: 'malformed', code: 'record_malformed', message: '' },
    { kind: 'too_large' },
  ])('go each by itself when a shared POST is answered by $kind', async (verdict) => {
    const { send, begin, posts } = share({ together: async () => verdict });
    await begin(0, 1);
    const sent = await Promise.all([send(0, 1), send(1, 1)]);
    expect(posts).toEqual(['+ 0:1 1:1', '0:1', '1:1']);
    expect(sent.map(({ kind }) => kind)).toEqual(['accepted', 'accepted']);
  });

  test('do not wait long for one that hangs, which has no company from then on', async () => {
    const hung = Promise.withResolvers<Sent>();
    const { send, begin, posts, answered } = share({
      together: (body, stop) =>
        contentOf(body).includes('0:')
          ? new Promise((resolve) => {
              stop.posting.addEventListener('abort', () => resolve(undefined));
            })
          : Promise.resolve(accept(body) as Verdict),
      alone: (body) => (contentOf(body) === '0:1' ? hung.promise : accept(body)),
    });
    await begin(0, 1, 2);
    const slow = send(0, 1);
    await Promise.all([send(1, 1), send(2, 1)]);
    await Promise.all([send(1, 2), send(2, 2)]);
    expect(posts).toEqual(['+ 0:1 1:1 2:1', '0:1', '1:1', '2:1', '+ 1:2 2:2']);
    expect(answered).toEqual(['shared_unanswered']);
    hung.resolve(accept(bodyOf(0, 1)));
    await expect(slow).resolves.toMatchObject({ kind: 'accepted' });
  });

  test('that are stopped are cut off in company too, and send nothing after that', async () => {
    const { send, begin, posts, stop } = share({
      together: (_, { posting }) =>
        new Promise((resolve) => posting.addEventListener('abort', () => resolve(undefined))),
      alone: (body) => (stop.retrying.aborted ? { kind: 'stopped' } : accept(body)),
    });
    await begin(0, 1);
    const sent = Promise.all([send(0, 1), send(1, 1)]);
    await new Promise((resolve) => setImmediate(resolve));
    stop.abandon();
    expect((await sent).map(({ kind }) => kind)).toEqual(['stopped', 'stopped']);
    expect(await Promise.all([send(0, 2), send(1, 2)])).toEqual([
      { kind: 'stopped' },
      { kind: 'stopped' },
    ]);
    expect(posts.filter((post) => post.startsWith('+'))).toEqual(['+ 0:1 1:1']);
  });
});

test('a joined body is what one of all its records would be', () => {
  const bodies = [bodyOf(3, 1, 2), bodyOf(3, 3)];
  const joined = batcher.join(bodies);
  expect(joined.bytes.equals(bodyOf(3, 1, 2, 3).bytes)).toBe(true);
  expect(offsetsOf(joined.records)).toEqual([1, 2, 3]);
});
