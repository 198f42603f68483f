/** The hooks where a server renders first, and a page takes over. */
import type { ReactNode } from 'react';
import { renderToString } from 'react-dom/server';
import { expect, test } from 'vitest';
import { useRoom } from '../../../worker/client/react/index.ts';
import { openProfile } from '../support/chromium.ts';
import { Gateway } from '../support/gateway.ts';
import { servePage } from '../support/page-server.ts';
import { App } from './rendered-by-server.tsx';

const gateway = new Gateway();

function Lost(): ReactNode {
  return useRoom('system').status.state;
}

test('a server renders a room that is idle, and the page takes over without a mismatch', async () => {
  const html = renderToString(<App url="ws://localhost:1" />);
  expect(html.replaceAll('<!-- -->', '')).toBe('<p>idle, idle, none, </p>');
  await gateway.trades('SERVER-USDC', [1, 2]);
  const served = await servePage(new URL('hydrate.tsx', import.meta.url), html);
  const page = await (await openProfile()).newPage();
  const complaints: string[] = [];
  page.on('pageerror', ({ message }) => complaints.push(message));
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  await page.goto(`${served.url}/?gateway=${encodeURIComponent(gateway.url)}`);
  await page.getByText('open, open, t-2, t-1 t-2').waitFor();
  expect(complaints).toEqual([]);
});

test('a hook without a provider says so', () => {
  expect(() => renderToString(<Lost />)).toThrow('there is no <GatewayProvider>');
});
