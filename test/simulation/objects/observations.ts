/** What is seen of the calls between objects: each is judged, and counted for the coverage. */
import type {
  FollowAnswer,
  PushAnswer,
  PushCall,
} from '../../../worker/room/follow/calls/objects.ts';
import { LARGE_LOG } from '../../../worker/room/follow/large-logs.ts';
import { promise } from '../violation.ts';
import { judgeAnswer, judgeContent, judgeUpstream, levelOf } from './judge.ts';
import type { Answer, Outgoing, Say } from './network.ts';
import { isFollowed } from './settings.ts';
import type { World } from './world.ts';

/** A chain of calls may have so many links; the platform has a limit that only production shows. */
const MOST_DEPTH = 8;

export class Observations {
  readonly #world: World;
  /** Pushes that were obeyed before. */
  readonly #obeyed = new WeakSet<PushCall>();

  constructor(world: World) {
    this.#world = world;
  }

  /** An object has called another. */
  called(outgoing: Outgoing): void {
    const { settings, coverage } = this.#world;
    const { from, to, say, depth, cause } = outgoing;
    const sender = say.kind === 'follow' ? say.call.follower : say.call.upstream;
    coverage.add(`calls at a depth of ${depth}`);
    promise(depth <= MOST_DEPTH, () => `${from.name} calls ${to} at a depth of ${depth}`);
    promise(isFollowed(say.call.room, settings), () => `${from.name} speaks of ${say.call.room}`);
    promise(sender === from.name, () => `${from.name} calls itself ${sender}`);
    promise(to !== from.name, () => `${to} calls itself`);
    const other = { push: 'follow', follow: 'push' }[say.kind];
    promise(cause.kind !== other, () => `${from.name} calls ${to} in the turn of a ${other}`);
    promise(say.call.depth === depth, () => `${from.name} calls it a depth of ${say.call.depth}`);
    if (say.kind === 'push') {
      judgeContent(say.call, settings);
      if (say.call.content.kind === 'log') coverage.add('whole logs pushed');
      const isAfterCrash = cause.wokeAfter === 'crash' && cause.isFirst;
      if (isAfterCrash && cause.kind === 'alarm') coverage.add('alarms that pushed after a crash');
      return;
    }
    judgeUpstream(outgoing, settings);
    if (levelOf(to, settings.width) >= 2) coverage.add('depth of 3 and more');
    const wasMirror = from.disk.followRow(say.call.room, '') !== undefined;
    if (cause.wokeAfter === 'sleep' && wasMirror) coverage.add('refills after a sleep');
  }

  /** A call was obeyed. */
  obeyed(say: Say, answer: Answer): void {
    if (say.kind === 'follow') this.#followed(say.call.room, answer as FollowAnswer);
    else this.#pushed(say.call, answer as PushAnswer);
  }

  #followed(room: string, answer: FollowAnswer): void {
    const { settings, coverage } = this.#world;
    if (answer.kind === 'full') coverage.add('full answers');
    if (answer.kind === 'outdated') coverage.add('outdated answers');
    if (answer.kind !== 'followed') return;
    // Otherwise the log may be there and be large.
    const mayBeLarge = settings.largeLog < LARGE_LOG;
    if (answer.log === undefined && !mayBeLarge) coverage.add('followed an unfilled branch');
    if (answer.log !== undefined) judgeAnswer(room, answer.log, settings);
  }

  #pushed(call: PushCall, { wants, cursor, retryIn }: PushAnswer): void {
    const { coverage } = this.#world;
    const { content } = call;
    if (retryIn > 0) coverage.add('retry asked for');
    if (wants && this.#obeyed.has(call)) coverage.add('repeats answered');
    this.#obeyed.add(call);
    if (!wants || cursor === undefined || content.kind === 'log' || retryIn > 0) return;
    const isHole = cursor.epoch === content.epoch && cursor.seq < content.after;
    if (isHole) coverage.add('holes pulled');
  }
}
