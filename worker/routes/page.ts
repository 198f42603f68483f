/**
 * The live page: GET / and what it needs, where `PAGE` is on. `/page/demo` is answered by the local
 * stack, which binds itself as `LOCAL`; a deployed gateway has no such binding, so it gives nobody a
 * token and publishes nothing.
 */
import { type Context, Hono, type MiddlewareHandler } from 'hono';
import { etag } from 'hono/etag';
import { secureHeaders } from 'hono/secure-headers';
import { configOf } from '../config.ts';
import type { Env } from '../env.ts';
import { files } from '../page/built/files.js';

type PageEnv = { Bindings: Env };

/** The names of scripts and styles carry a hash of what is in them. */
const FOREVER = 'public, max-age=31536000, immutable';
const ASK_AGAIN = 'no-cache';

const whereOn: MiddlewareHandler<PageEnv> = async (c, next) => {
  const { isPageOn } = await configOf(c.env);
  return isPageOn ? next() : c.notFound();
};

const headers = secureHeaders({
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    connectSrc: ["'self'"],
    imgSrc: ["'self'", 'data:'],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
  xFrameOptions: 'DENY',
  referrerPolicy: 'no-referrer',
  // Whether a host and those below it are reached by TLS only is not the page's to say.
  strictTransportSecurity: false,
});

export const page = new Hono<PageEnv>()
  .get('/', whereOn, headers, etag(), (c) => serve(c, '/', ASK_AGAIN))
  .get('/page/demo', whereOn, headers, async (c) => {
    const answer = (await c.env.LOCAL?.fetch(c.req.url)) ?? c.json({});
    return new Response(answer.body, answer);
  })
  .post('/page/demo/alerts', whereOn, headers, async (c) => {
    // Pages of other origins may not make alerts by a form.
    if (c.req.header('Origin') !== new URL(c.req.url).origin) return c.notFound();
    const answer = await c.env.LOCAL?.fetch(c.req.url, { method: 'POST' });
    return answer === undefined ? c.notFound() : new Response(answer.body, answer);
  })
  .get('/page/:file', whereOn, headers, etag(), (c) => serve(c, c.req.path, FOREVER));

function serve(c: Context<PageEnv>, path: string, caching: string): Response | Promise<Response> {
  const file = Object.hasOwn(files, path) ? files[path] : undefined;
  if (file === undefined) return c.notFound();
  return c.body(file.body, 200, {
    'Content-Type': file.type,
    'Cache-Control': caching,
    ETag: file.tag,
  });
}
