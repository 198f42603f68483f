/**
 * One object of many. Each event of the platform's is a turn of it: its writes, frames, calls and answer
 * take effect together, as behind the output gate, or, if the object is lost in it, not at all. Between
 * turns it may be lost, or go to sleep; whatever comes next wakes it from its disk.
 */
import type { CloseReason } from '../../../worker/protocol/codes.ts';
import { nameOfRoom, type RoomName } from '../../../worker/protocol/rooms.ts';
import type { Branch } from '../../../worker/room/follow/branches.ts';
import type { RoomAnswer } from '../../../worker/room/intake/intake.ts';
import type { RoomBatch } from '../../../worker/room/intake/room-batch.ts';
import type { Joiner } from '../../../worker/room/ports.ts';
import type { Room } from '../../../worker/room/room.ts';
import { isPrivate } from '../../../worker/room/session/admission/admission.ts';
import { promise } from '../violation.ts';
import type { Planned } from './agenda.ts';
import type { Connection } from './connection.ts';
import { ObjectDisk } from './disk.ts';
import { judgeRows } from './judge.ts';
import { type Ending, Memory } from './memory.ts';
import type { Answer, Say } from './network.ts';
import type { World } from './world.ts';

/** How soon the platform tries an alarm again whose handler failed, in ms. */
const ALARM_AGAIN = 2_000;

export type TurnKind = 'follow' | 'push' | 'outcome' | 'timer' | 'alarm' | 'client' | 'append';

export interface ObjectTurn {
  readonly kind: TurnKind;
  /** How many calls led to it, of objects to each other. */
  readonly depth: number;
  readonly number: number;
  /** What is known of the truth once the turn holds. */
  readonly truths: (() => void)[];
  /** What leaves the object once the turn holds. */
  readonly leaves: (() => void)[];
}

/** Which room an object serves, and as which branch of it; a relay has no room of its own. */
export interface ObjectId {
  readonly room: RoomName | undefined;
  readonly branch: Branch | undefined;
}

export class SimulatedObject {
  readonly name: string;
  readonly id: ObjectId;
  readonly room: string | undefined;
  readonly region: string;
  readonly disk = new ObjectDisk();
  readonly sockets = new Set<Connection>();
  /** How many alarms went off. */
  alarms = 0;
  /** The version of the newest code that there is for it. */
  version = 1;
  readonly #world: World;
  #memory: Memory | undefined;
  #turn: ObjectTurn | undefined;
  #turns = 0;
  #alarm: Planned | undefined;
  #endedBy: Ending;
  /** Whether it ends with the turn that it is in. */
  #isLeaving = false;

  constructor(world: World, name: string, id: ObjectId, region: string) {
    this.#world = world;
    this.name = name;
    this.id = id;
    this.room = id.room && nameOfRoom(id.room);
    this.region = region;
  }

  /** The turn that it is in. */
  get turn(): ObjectTurn | undefined {
    return this.#turn;
  }

  get isRoot(): boolean {
    return this.id.branch === undefined;
  }

  /** Whether nothing keeps it awake. */
  get isIdle(): boolean {
    return this.#memory?.isIdle ?? true;
  }

  /** What keeps it awake, in words. */
  get business(): string {
    return `${this.name} ${this.#memory?.business ?? 'sleeps'}`;
  }

  /** Whether a session reads a room here. */
  reads(room: string): boolean {
    for (const socket of this.sockets) if (!socket.isClosed && socket.reads(room)) return true;
    return false;
  }

  /** The answer; undefined when the object was lost before it could leave. */
  append(batch: RoomBatch): RoomAnswer | undefined {
    return this.inTurn('append', 0, (room) => {
      const answer = room.append(batch);
      this.#turn?.truths.push(() => this.#world.taken(this.name, batch, answer));
      return answer;
    });
  }

  connect(connection: Connection, joiner: Joiner): void {
    this.inTurn('client', 0, (room) => {
      // The platform wakes an object before it accepts a socket.
      this.sockets.add(connection);
      room.connect(connection, joiner);
    });
  }

  receive(connection: Connection, message: string): void {
    if (!this.sockets.has(connection) || connection.isClosed) return;
    this.#world.note(() => `${connection.client.name} says ${message}`);
    this.inTurn('client', 0, (room) => {
      void room.receive(connection, message);
    });
  }

  disconnect(connection: Connection): void {
    if (!this.sockets.delete(connection)) return;
    this.inTurn('client', 0, (room) => room.disconnect(connection));
  }

  /** Obeys another object. The answer; undefined when the object was lost before it could leave. */
  answer(say: Say, depth: number): Answer | undefined {
    return this.inTurn(say.kind, depth, (room) =>
      say.kind === 'follow' ? room.follow(say.call) : room.push(say.call),
    );
  }

  /** It is lost, and all its sockets with it. */
  crash(): void {
    this.#world.note(() => `${this.name} crashes`);
    this.#world.coverage.add('crashes');
    this.#forget('crash');
    for (const socket of this.sockets) this.#world.lost(socket);
    this.sockets.clear();
  }

  /** A call tells it that there is newer code. It leaves for it some time, unless it has only just started. */
  deploy(): void {
    this.version++;
    this.#memory?.room.departure.learn(this.version, this.#world.now());
  }

  /** It has let go of its sockets, and ends with its turn. */
  noteLeaving(): void {
    this.#isLeaving = true;
  }

  /** It goes to sleep, if nothing keeps it awake. */
  sleep(): void {
    if (this.#memory === undefined || !this.isIdle) return;
    this.#world.note(() => `${this.name} sleeps`);
    if (this.sockets.size > 0) this.#world.coverage.add('sleeps with sockets');
    this.#forget('sleep');
  }

  inTurn<Result>(kind: TurnKind, depth: number, act: (room: Room) => Result): Result | undefined {
    const room = this.begin(kind, depth);
    const result = act(room);
    return this.end() ? result : undefined;
  }

  begin(kind: TurnKind, depth: number): Room {
    const turn = { kind, depth, number: this.#turns++, truths: [], leaves: [] };
    this.#turn = turn;
    this.#memory ??= this.#wake(turn);
    return this.#memory.room;
  }

  /** The turn holds, unless the object is lost in it. */
  end(): boolean {
    const { truths = [], leaves = [], kind } = this.#turn ?? {};
    this.#turn = undefined;
    const world = this.#world;
    world.throwViolation();
    if (world.breaksTurn()) {
      world.coverage.add('crashes in a turn');
      this.disk.rollBack();
      this.crash();
      return false;
    }
    if (this.disk.followChanged) judgeRows(this, world.settings);
    if (this.disk.leavers > 0 && kind === 'outcome')
      world.coverage.add('rows removed by an answer');
    this.disk.commit();
    for (const note of truths) note();
    for (const leave of leaves) leave();
    // One that has left forgets them when it wakes.
    if (this.room === undefined && !this.#isLeaving) this.#judgePrivateRooms();
    world.readAll(this);
    if (this.#isLeaving) this.#depart();
    return true;
  }

  /** Something is to leave when the turn holds. */
  leave(act: () => void): void {
    if (this.#turn === undefined) this.#world.violate(`${this.name} acts outside of its turns`);
    else this.#turn.leaves.push(act);
  }

  sent(connection: Connection, frame: string): void {
    this.leave(() => this.#world.deliver(connection, frame));
  }

  closed(connection: Connection, reason: CloseReason): void {
    this.leave(() => this.#world.closed(this, connection, reason));
  }

  /** The platform keeps one alarm, and tries again when its handler fails. */
  setAlarm(at: number): void {
    this.dropAlarm();
    this.#alarm = this.#world.agenda.plan(Math.max(0, at - this.#world.now()), () => {
      this.#alarm = undefined;
      this.alarms++;
      this.#world.note(() => `alarm of ${this.name}`);
      this.begin('alarm', 0).alarm();
      const isKept = this.end();
      if (!isKept && this.#alarm === undefined) this.setAlarm(this.#world.now() + ALARM_AGAIN);
    });
  }

  dropAlarm(): void {
    if (this.#alarm !== undefined) this.#alarm.isDropped = true;
    this.#alarm = undefined;
  }

  /** A room that takes a token is kept for as long as somebody reads it. */
  #judgePrivateRooms(): void {
    for (const { room } of this.disk.follow) {
      const isRead = !isPrivate(room) || this.reads(room);
      promise(isRead, () => `${this.name} keeps ${room}, and nobody reads it`);
    }
  }

  #wake(turn: ObjectTurn): Memory {
    this.#world.note(() => `${this.name} wakes after ${this.#endedBy ?? 'nothing'}`);
    const memory = new Memory(this, this.#world, this.#endedBy, turn.number);
    if (!this.isRoot) return memory;
    // A reader of its history is told where its log stands.
    const { epoch, head } = JSON.parse(memory.room.history(undefined, 1));
    turn.truths.push(() => this.#world.truth(this.name).noteWake(epoch, head, memory.wokeAfter));
    return memory;
  }

  #depart(): void {
    this.#world.note(() => `${this.name} leaves for newer code`);
    this.#world.coverage.add('departures');
    this.#forget('departure');
    for (const socket of this.sockets) this.#world.lost(socket);
    this.sockets.clear();
  }

  #forget(by: Ending): void {
    this.#isLeaving = false;
    this.#endedBy = by;
    this.#memory?.end();
    this.#memory = undefined;
    this.#turn = undefined;
  }
}
