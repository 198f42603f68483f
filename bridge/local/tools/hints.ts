/** What to do about what happens to a watched room, for somebody who tries the local stack. */

const HINTS: readonly (readonly [RegExp, string])[] = [
  [/^no answer /, 'Does `npm start` run? PORT or --url says where the gateway is.'],
  [/^answered \d/, 'What answers there is no gateway. PORT or --url says where the gateway is.'],
  [/\btoken_missing\b/, 'Set TOKEN to a token that opens the room. `npm start` prints one.'],
  [/\btoken_(invalid|expired)\b/, 'The token that `npm start` prints is good for a day.'],
  [/\broom_forbidden\b/, 'The token is of another user, or does not name the room.'],
  [/\broom_invalid\b/, 'Rooms are called such as price:BTC-USDC; --help lists them.'],
];

/** @param note as `watchRooms` reports it. */
export function hintFor(note: string): string | undefined {
  return HINTS.find(([pattern]) => pattern.test(note))?.[1];
}
