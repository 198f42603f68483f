/** Reads the text of an answer within a bound: what answers may be no gateway, and may have no end. */

/** An answer names at most 500 rejections of some 200 bytes. */
const MAX_ANSWER_BYTES = 1024 * 1024;

/** @throws when it is larger. A `fetch` of the caller's own may have no stream, and is trusted. */
export async function readText(response: { text(): Promise<string> }): Promise<string> {
  const body: unknown = Reflect.get(response, 'body');
  if (!isStream(body)) return response.text();
  const decoder = new TextDecoder();
  let bytes = 0;
  let text = '';
  // A stream is cancelled when its loop is left.
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new RangeError('the answer is too large');
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function isStream(body: unknown): body is AsyncIterable<Uint8Array> {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body;
}
