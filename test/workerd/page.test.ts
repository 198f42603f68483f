import { createExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { app } from '../../worker/app.ts';

const ORIGIN = 'https://gateway.test';
const ON = { ...env, PAGE: 'on' };

function ask(path: string, init: RequestInit = {}, bindings: object = ON): Promise<Response> {
  const request = new Request(`${ORIGIN}${path}`, init);
  return Promise.resolve(app.fetch(request, { ...env, ...bindings }, createExecutionContext()));
}

/** The addresses in the document of what it is made of. */
async function parts(): Promise<string[]> {
  const document = await (await ask('/')).text();
  return [...document.matchAll(/"(\/page\/[^"]+)"/g)].map(([, path = '']) => path);
}

describe('the live page', () => {
  it.each(['/', '/page/demo', '/page/main.js'])(
    'is not there unless PAGE is on: %s',
    async (path) => {
      for (const PAGE of [undefined, 'off']) {
        const answer = await ask(path, {}, { PAGE });
        expect(answer.status).toBe(404);
        expect(await answer.json()).toMatchObject({ error: { code: 'not_found' } });
      }
    },
  );

  it('allows itself nothing but what it is made of, and nobody to frame it', async () => {
    const answer = await ask('/');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const policy = answer.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self';");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
    const document = await answer.text();
    expect(document).not.toMatch(/<style|\sstyle=|<script(?![^>]*\ssrc=)|\son\w+=/);
  });

  it('is asked for again, and has not changed', async () => {
    const first = await ask('/');
    expect(first.headers.get('cache-control')).toBe('no-cache');
    const headers = { 'If-None-Match': first.headers.get('etag') ?? '' };
    const second = await ask('/', { headers });
    expect([second.status, await second.text()]).toEqual([304, '']);
  });

  it('has a script and a style sheet whose names change with what is in them', async () => {
    const paths = await parts();
    expect(paths.map((path) => path.replace(/-[\w-]{16}\./, '.')).sort()).toEqual([
      '/page/main.css',
      '/page/main.js',
    ]);
    for (const path of paths) {
      const answer = await ask(path);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('cache-control')).toContain('immutable');
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
      const type = path.endsWith('.css') ? 'text/css' : 'text/javascript';
      expect(answer.headers.get('content-type')).toContain(type);
    }
  });

  it.each([
    '/page/',
    '/page/other.js',
    '/page/constructor',
    '/page/__proto__',
    '/page/../page/main.js',
  ])('has nothing at %s', async (path) => {
    expect((await ask(path)).status).toBe(404);
  });

  it('gives nobody a token and publishes nothing on a deployed gateway', async () => {
    expect(await (await ask('/page/demo')).json()).toEqual({});
    const alert = await ask('/page/demo/alerts', { method: 'POST', headers: { Origin: ORIGIN } });
    expect(alert.status).toBe(404);
  });

  it('asks the local stack for a token, and for an alert only when the page itself asks', async () => {
    const asked: string[] = [];
    const LOCAL = {
      fetch: (url: string, { method = 'GET' }: RequestInit = {}) => {
        asked.push(`${method} ${url}`);
        return Promise.resolve(Response.json({ alertId: 'A' }));
      },
    };
    const bindings = { ...ON, LOCAL };
    await ask('/page/demo', {}, bindings);
    const post = (headers: Record<string, string>) =>
      ask('/page/demo/alerts', { method: 'POST', headers }, bindings);
    expect((await post({})).status).toBe(404);
    expect((await post({ Origin: 'https://elsewhere.test' })).status).toBe(404);
    expect(await (await post({ Origin: ORIGIN })).json()).toEqual({ alertId: 'A' });
    expect(asked).toEqual([`GET ${ORIGIN}/page/demo`, `POST ${ORIGIN}/page/demo/alerts`]);
  });
});
