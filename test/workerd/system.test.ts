/** What comes of `system` over the socket of any room, and what may be said of it there. */
import { describe, expect, it } from 'vitest';
import { type Client, connect, eventsOf, type Frame, tokenFor } from './support/connect.ts';
import { publishWithoutKafka } from './support/publish.ts';

const SYSTEM = 'system';

async function alert(title: string): Promise<void> {
  const data = { level: 'info', title, message: 'm' };
  await publishWithoutKafka('system.alerts', [{ type: 'system_alert', data, timestamp: 1 }]);
}

const ofSystem = ({ frames }: Client): Frame[] => frames.filter(({ room }) => room === SYSTEM);

/** The frames of `system`, once the last one holds an alert called `title`. */
async function heard(client: Client, title: string): Promise<Frame[]> {
  const last = () => JSON.stringify(ofSystem(client).at(-1) ?? {});
  await expect.poll(last).toContain(`"title":"${title}"`);
  return ofSystem(client);
}

const titlesOf = (frame: Frame | undefined) =>
  eventsOf(frame).map(({ event }) => (event.data as { readonly title: string }).title);

/** A new member of `system`, by the socket of a room, once it is one. */
async function joined(room: string, token?: string): Promise<{ client: Client; place: string }> {
  const client = await connect(room, token, null);
  await expect.poll(() => ofSystem(client).map(({ type }) => type)).toContain('snapshot');
  const state = ofSystem(client).find(({ type }) => type === 'snapshot');
  return { client, place: `${state?.epoch}:${state?.seq}` };
}

const say = ({ socket }: Client, message: object) => socket.send(JSON.stringify(message));

describe('the socket of any room (R13)', () => {
  it('brings the alerts that have not expired, and then each as it comes', async () => {
    await alert('before');
    const token = await tokenFor('u');
    for (const [room, bearer] of [['price:S1'], ['trade:S1'], ['user:u', token]] as const) {
      const { client } = await joined(room, bearer);
      await alert(`for ${room}`);
      const frames = await heard(client, `for ${room}`);
      expect(frames.map(({ type }) => type)).toEqual(['subscribed', 'snapshot', 'events']);
      expect(frames[0]).toMatchObject({ recovered: false, seq: frames[1]?.seq });
      expect(titlesOf(frames[1])).toContain('before');
      expect(frames[2]?.after).toBe(frames[1]?.seq);
    }
  });

  it('with a cursor of `system` brings what was missed, and nothing twice', async () => {
    const { client, place } = await joined('price:S2');
    client.socket.close();
    await alert('missed');
    // An object that has not heard of the cursor, since nobody there reads `system`.
    const back = await connect('price:S3', undefined, place);
    expect((await heard(back, 'missed')).map(({ type }) => type)).toEqual(['subscribed', 'events']);
    expect(ofSystem(back)[0]).toMatchObject({ recovered: true });
    expect(titlesOf(ofSystem(back)[1])).toEqual(['missed']);
  });

  it('brings nothing of `system` to a client that declines it', async () => {
    const { client: other } = await joined('price:S4');
    const client = await connect('price:S4');
    await alert('declined');
    await heard(other, 'declined');
    expect(ofSystem(client)).toEqual([]);
  });

  it('obeys what is said of it, as of its own room (R11)', async () => {
    const { client, place } = await joined('price:S5');
    const { client: other } = await joined('price:S5');
    const [epoch = 0, seq = 0] = place.split(':').map(Number);
    say(client, { type: 'unsubscribe', id: 'out', room: SYSTEM });
    expect(await client.received('unsubscribed')).toMatchObject([{ id: 'out', room: SYSTEM }]);
    await alert('unheard');
    await heard(other, 'unheard');
    expect(ofSystem(client).at(-1)).toMatchObject({ type: 'unsubscribed' });
    say(client, { type: 'subscribe', id: 'in', room: SYSTEM, since: { epoch, seq } });
    await heard(client, 'unheard');
    expect(ofSystem(client).slice(-2)).toMatchObject([
      { type: 'subscribed', id: 'in', recovered: true },
      { type: 'events', after: seq },
    ]);
    say(client, { type: 'ack', room: SYSTEM, seq: seq + 1 });
    await alert('acked');
    await heard(client, 'acked');
    expect(client.frames.filter(({ type }) => type === 'error')).toEqual([]);
  });

  it('of `system` itself has one subscription', async () => {
    const client = await connect(SYSTEM, undefined, null);
    await alert('once');
    const frames = await heard(client, 'once');
    expect(frames.filter(({ type }) => type === 'subscribed')).toHaveLength(1);
    expect(frames.filter((frame) => titlesOf(frame).includes('once'))).toHaveLength(1);
  });
});
