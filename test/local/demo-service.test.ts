import { verify } from 'hono/jwt';
import { expect, inject, onTestFinished, test } from 'vitest';
import { type Demo, type DemoOptions, startDemoService } from '../../bridge/local/demo-service.ts';
import { DEVELOPMENT_JWT_SECRET } from '../../worker/protocol/environment/development.ts';
import { EVENT_TOPICS } from '../../worker/protocol/events/topics.ts';
import { createTopic, read } from '../support/kafka.ts';
import { until } from '../support/until.ts';

async function start(
  options: Partial<DemoOptions>,
): Promise<(request: string) => Promise<Response>> {
  const demo = await startDemoService({
    jwtSecret: DEVELOPMENT_JWT_SECRET,
    brokers: undefined,
    ...options,
  });
  onTestFinished(() => demo.stop());
  return (request) => {
    const [method = '', path = ''] = request.split(' ');
    return fetch(`http://${demo.address}${path}`, { method });
  };
}

test('the page gets a token of the demo user', async () => {
  const ask = await start({});
  const answer = (await (await ask('GET /page/demo')).json()) as Demo;
  expect(answer).toEqual({ alerts: false, user: 'user-123', token: expect.any(String) });
  expect(await verify(answer.token ?? '', DEVELOPMENT_JWT_SECRET, 'HS256')).toMatchObject({
    sub: 'user-123',
  });
});

test('a secret that is not the development one signs for nobody', async () => {
  const ask = await start({ jwtSecret: 'a secret of one’s own, of thirty-two and more' });
  expect(await (await ask('GET /page/demo')).json()).toEqual({ alerts: false });
});

test('no alert goes into a cluster that is not the stack’s own', async () => {
  const ask = await start({});
  expect((await ask('POST /page/demo/alerts')).status).toBe(404);
  expect((await ask('GET /page/demo/alerts')).status).toBe(404);
});

test('an alert to everyone goes through Kafka', async () => {
  const { name } = EVENT_TOPICS.system_alert;
  await createTopic(name).catch(() => undefined);
  const records = await read(name);
  const ask = await start({ brokers: inject('kafkaBrokers').join() });
  expect(await (await ask('GET /page/demo')).json()).toMatchObject({ alerts: true });
  const { alertId } = (await (await ask('POST /page/demo/alerts')).json()) as { alertId: string };
  const event = await until('the alert', () =>
    records
      .map(({ value }) => JSON.parse(String(value)))
      .find(({ data }) => data.alertId === alertId),
  );
  expect(event).toMatchObject({ type: 'system_alert', data: { level: 'info' } });
  expect(event.data.expiresAt).toBeGreaterThan(event.timestamp);
  expect(event).not.toHaveProperty('userId');
});

test('an alert that Kafka does not take is reported to the page', async () => {
  const ask = await start({ brokers: '127.0.0.1:1' });
  const answer = await ask('POST /page/demo/alerts');
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({ error: { code: 'alert_failed', retry: true } });
});
