/**
 * A WebSocket client over bare TCP (RFC 6455, the part that a gateway's client needs): cheap enough
 * for thousands in one process, and able to stop reading, which the built-in one is not.
 */
import { connect, type Socket } from 'node:net';

/** One for all sockets: what is read into it is used up before the next read. */
const READ_BUFFER = Buffer.allocUnsafe(256 * 1024);
const END_OF_HEAD = '\r\n\r\n';
/** The protocol wants 16 random bytes, against caches that none of these passes. */
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
/** A mask of zeros leaves the payload as it is. */
const MASK = Buffer.alloc(4);

export interface RawListener {
  /** A text frame's payload, valid during the call only. */
  readonly text: (payload: Buffer) => void;
  /** The server closed it, `4413 slow_consumer`, or the connection broke, `cut off`. */
  readonly ended: (how: string) => void;
}

export class RawWebSocket {
  readonly #socket: Socket;
  readonly #listener: RawListener;
  readonly #reader: FrameReader;
  #over = false;

  private constructor(socket: Socket, listener: RawListener) {
    this.#socket = socket;
    this.#listener = listener;
    this.#reader = new FrameReader((opcode, payload) => this.#take(opcode, payload));
    socket.once('close', () => this.#end('cut off'));
  }

  /** Resolves once upgraded; the first frames may come before that is seen. */
  static open(url: string, listener: RawListener, token?: string): Promise<RawWebSocket> {
    const { hostname, port, pathname, search } = new URL(url);
    return new Promise((resolve, reject) => {
      let head = '';
      let opened: RawWebSocket | undefined;
      const socket = connect({
        host: hostname,
        port: Number(port),
        noDelay: true,
        onread: {
          buffer: READ_BUFFER,
          callback: (length) => {
            const chunk = READ_BUFFER.subarray(0, length);
            if (opened === undefined) {
              head += chunk.toString('latin1');
              const end = head.indexOf(END_OF_HEAD);
              if (end === -1) return true;
              if (!head.startsWith('HTTP/1.1 101')) {
                socket.destroy();
                reject(new Error(head.slice(0, head.indexOf('\r\n'))));
                return false;
              }
              opened = new RawWebSocket(socket, listener);
              resolve(opened);
              opened.#reader.push(Buffer.from(head.slice(end + END_OF_HEAD.length), 'latin1'));
            } else {
              opened.#reader.push(chunk);
            }
            return true;
          },
        },
      });
      socket.on('error', reject);
      socket.once('close', () => reject(new Error('closed before it was upgraded')));
      socket.write(
        `GET ${pathname}${search} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nUpgrade: websocket\r\n` +
          `Connection: Upgrade\r\nSec-WebSocket-Key: ${KEY}\r\nSec-WebSocket-Version: 13\r\n` +
          `${token === undefined ? '' : `Authorization: Bearer ${token}\r\n`}\r\n`,
      );
    });
  }

  send(text: string): void {
    const payload = Buffer.from(text);
    if (payload.length > 0xffff) throw new RangeError('a message of a client is short');
    const header =
      payload.length < 126
        ? Buffer.from([0x81, 0x80 | payload.length])
        : Buffer.from([0x81, 0x80 | 126, payload.length >> 8, payload.length & 0xff]);
    this.#socket.write(Buffer.concat([header, MASK, payload]));
  }

  /** Sends a close frame, with any payload: a code of two bytes and a reason, or what is none. */
  close(payload: Buffer): void {
    this.#socket.write(Buffer.concat([Buffer.from([0x88, 0x80 | payload.length]), MASK, payload]));
  }

  /** From now on nothing is taken from the network: its buffers fill up, then the server's. */
  stopReading(): void {
    this.#socket.pause();
  }

  readOn(): void {
    this.#socket.resume();
  }

  /** Cuts the connection; `ended` is not called. */
  cut(): void {
    this.#over = true;
    this.#socket.destroy();
  }

  #take(opcode: number, payload: Buffer): void {
    if (opcode === 1) this.#listener.text(payload);
    else if (opcode === 8) this.#end(closeTextOf(payload));
    else throw new Error(`a frame with opcode ${opcode}`);
  }

  #end(how: string): void {
    if (this.#over) return;
    this.cut();
    this.#listener.ended(how);
  }
}

/** `4413 slow_consumer`; `closed` for a close frame that says nothing. */
function closeTextOf(payload: Buffer): string {
  if (payload.length < 2) return 'closed';
  return `${payload.readUInt16BE(0)} ${payload.toString('utf8', 2)}`.trim();
}

/** Splits what a server sends into frames: neither masked nor fragmented. */
class FrameReader {
  readonly #emit: (opcode: number, payload: Buffer) => void;
  readonly #header = Buffer.alloc(10);
  #headerLength = 0;
  /** Undefined between two frames. */
  #length: number | undefined;
  /** The pieces of a payload that has not come whole. The buffer is used again for the next one. */
  #pieces = Buffer.alloc(0);
  #filled = 0;

  constructor(emit: (opcode: number, payload: Buffer) => void) {
    this.#emit = emit;
  }

  push(chunk: Buffer): void {
    let at = 0;
    for (;;) {
      if (this.#length === undefined) {
        while (at < chunk.length && this.#length === undefined) {
          this.#header[this.#headerLength++] = chunk[at++] ?? 0;
          this.#length = this.#lengthOf();
        }
        if (this.#length === undefined) return;
      }
      const missing = this.#length - this.#filled;
      if (chunk.length - at < missing) {
        this.#keep(chunk.subarray(at), this.#length);
        return;
      }
      const piece = chunk.subarray(at, at + missing);
      at += missing;
      if (this.#filled === 0) {
        this.#finish(piece);
      } else {
        this.#keep(piece, this.#length);
        this.#finish(this.#pieces.subarray(0, this.#filled));
      }
    }
  }

  #keep(piece: Buffer, length: number): void {
    if (this.#pieces.length < length) {
      const larger = Buffer.allocUnsafeSlow(length);
      this.#pieces.copy(larger, 0, 0, this.#filled);
      this.#pieces = larger;
    }
    piece.copy(this.#pieces, this.#filled);
    this.#filled += piece.length;
  }

  #finish(payload: Buffer): void {
    const opcode = (this.#header[0] ?? 0) & 0x0f;
    this.#length = undefined;
    this.#headerLength = 0;
    this.#filled = 0;
    this.#emit(opcode, payload);
  }

  /** The payload's length, once the header is whole. */
  #lengthOf(): number | undefined {
    if (this.#headerLength < 2) return undefined;
    const [first = 0, second = 0] = this.#header;
    if ((first & 0x80) === 0 || second > 127) throw new Error('a frame in fragments, or masked');
    if (second < 126) return second;
    if (second === 126) return this.#headerLength < 4 ? undefined : this.#header.readUInt16BE(2);
    return this.#headerLength < 10 ? undefined : Number(this.#header.readBigUInt64BE(2));
  }
}
