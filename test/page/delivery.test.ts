import { describe, expect, it } from 'vitest';
import { Delivery } from '../../worker/page/delivery/delivery.ts';
import { Histogram } from '../../worker/page/delivery/histogram.ts';
import { Rate } from '../../worker/page/delivery/rate.ts';

describe('a rate', () => {
  it('is of the last seconds, and forgets what was before', () => {
    const rate = new Rate();
    for (let now = 0; now < 5_000; now += 10) rate.add(1, now);
    expect(rate.perSecond(5_000)).toBe(100);
    expect(rate.perSecond(9_000)).toBe(0);
    expect(rate.total).toBe(500);
  });
});

describe('a histogram', () => {
  it('measures quantiles to a tenth of their value, over six orders of magnitude', () => {
    for (const ms of [0.7, 3, 42, 900, 20_000]) {
      const histogram = new Histogram();
      for (let count = 0; count < 99; count++) histogram.add(ms, 0);
      histogram.add(ms * 10, 0);
      const summary = histogram.summary(0);
      expect(Math.abs((summary.quantile(0.5) ?? 0) / ms - 1)).toBeLessThan(0.11);
      expect(Math.abs((summary.quantile(1) ?? 0) / (ms * 10) - 1)).toBeLessThan(0.11);
    }
  });

  it('counts a negative duration as zero, and one that never ends in the last bar', () => {
    const histogram = new Histogram();
    histogram.add(-40, 0);
    histogram.add(Number.POSITIVE_INFINITY, 0);
    const summary = histogram.summary(0);
    expect(summary.count).toBe(2);
    expect(summary.bars().at(0)).toBe(1);
    expect(summary.bars().at(-1)).toBe(1);
    histogram.add(-1, 0);
    expect(histogram.summary(0).bars().at(-1)).toBe(0.5);
  });

  it('forgets what is older than ten seconds', () => {
    const histogram = new Histogram();
    histogram.add(5, 0);
    histogram.add(50, 6_000);
    expect(histogram.summary(6_000).count).toBe(2);
    expect(histogram.summary(11_000).count).toBe(1);
    expect(histogram.summary(60_000).quantile(0.5)).toBeUndefined();
  });
});

describe('the delivery', () => {
  function delivery() {
    let now = 1_000;
    const made = new Delivery({ clock: () => 1_700_000_000_000 + now, now: () => now });
    made.rooms.expect('trade:X');
    const receive = (...frames: object[]) => made.receive(JSON.stringify(frames));
    receive(
      { type: 'welcome' },
      { type: 'subscribed', room: 'trade:X', epoch: 1, seq: 0, recovered: false },
      { type: 'snapshot', room: 'trade:X', epoch: 1, seq: 0, events: [] },
    );
    const wait = (ms: number) => {
      now += ms;
      return now;
    };
    return { made, receive, wait };
  }
  const publishedAt = 1_700_000_000_900;
  const times = [publishedAt + 10, publishedAt + 30, publishedAt + 34, publishedAt + 35];
  const events = (after: number, ...entries: object[]) => ({
    type: 'events',
    room: 'trade:X',
    after,
    events: entries,
  });

  it('computes from the times of a trace how long each hop took', () => {
    const { made, receive, wait } = delivery();
    receive(events(0, { seq: 1, event: { timestamp: publishedAt }, times }));
    const now = wait(16);
    made.latency.painted(1_700_000_000_000 + now, now);
    const medianOf = (hop: keyof typeof made.latency.hops) =>
      Math.round(made.latency.hops[hop].summary(now).quantile(0.5) ?? -1);
    expect(medianOf('kafka')).toBeCloseTo(10, -1);
    expect(medianOf('bridge')).toBeCloseTo(20, -1);
    expect(medianOf('worker')).toBe(4);
    expect(medianOf('room')).toBe(1);
    expect(medianOf('client')).toBeGreaterThan(58);
    expect(medianOf('client')).toBeLessThan(72);
    expect(medianOf('paint')).toBeGreaterThan(13);
    expect(medianOf('total')).toBeGreaterThan(100);
  });

  it('passes over a hop whose times are not known', () => {
    const { made, receive } = delivery();
    const unknown = [null, null, publishedAt + 5, publishedAt + 6];
    receive(events(0, { seq: 1, event: { timestamp: publishedAt }, times: unknown }));
    const countOf = (hop: keyof typeof made.latency.hops) =>
      made.latency.hops[hop].summary(1_000).count;
    expect([countOf('kafka'), countOf('bridge'), countOf('worker')]).toEqual([0, 0, 0]);
    expect([countOf('room'), countOf('client')]).toEqual([1, 1]);
  });

  it('does not take for latency how long an event waited for a lost connection', () => {
    const { made, receive } = delivery();
    made.rooms.disconnected();
    receive(
      { type: 'welcome' },
      { type: 'subscribed', room: 'trade:X', epoch: 1, seq: 2, recovered: true },
      events(0, { seq: 1, event: { timestamp: 1 }, times }, { seq: 2, event: { timestamp: 1 } }),
      events(2, { seq: 3, event: { timestamp: publishedAt }, times }),
    );
    expect(made.latency.hops.client.summary(1_000).count).toBe(1);
    expect(made.rooms.losses).toBe(1);
    expect(made.rooms.resume).toEqual({ missed: 2, again: 2, replaced: 0, lost: 0 });
  });

  it('counts frames, events and characters, and gives the message as it is', () => {
    const { made, receive, wait } = delivery();
    const frame = events(
      0,
      { seq: 1, event: { timestamp: 1 } },
      { seq: 2, event: { timestamp: 1 } },
    );
    expect(receive(frame)).toEqual([frame]);
    expect([made.frames.total, made.events.total]).toEqual([4, 2]);
    expect(made.characters.total).toBeGreaterThan(JSON.stringify([frame]).length);
    expect(() => made.receive('no JSON')).toThrow(SyntaxError);
    expect(made.receive('7')).toBe(7);
    expect(made.receive('[null, {"type": "later"}]')).toEqual([null, { type: 'later' }]);
    expect(wait(0)).toBe(1_000);
  });
});
