/**
 * A process that is asked and answers: `AskedProcess` is for who asks, `answer` is called in the process
 * itself. The process ends when who asks has ended.
 */
import { type ChildProcess, spawn } from 'node:child_process';

/** What the process does, by the name under which it is asked. */
// biome-ignore lint/suspicious/noExplicitAny: each handler has arguments of its own, which `ask` infers.
export type Handlers = Readonly<Record<string, (...args: any[]) => unknown>>;

interface Question {
  readonly id: number;
  readonly name: string;
  readonly args: readonly unknown[];
}

type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: string };

export class AskedProcess<Known extends Handlers> {
  readonly #child: ChildProcess;
  readonly #asked = new Map<number, PromiseWithResolvers<unknown>>();
  #lastId = 0;

  /** @param launcher a command that starts the process, such as `taskset -c 1`. */
  constructor(file: string, launcher: readonly string[] = []) {
    const [command = process.execPath, ...args] = [...launcher, process.execPath, file];
    this.#child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#child.on('message', (answer: Answer) => {
      const asked = this.#asked.get(answer.id);
      this.#asked.delete(answer.id);
      if ('error' in answer) asked?.reject(new Error(answer.error));
      else asked?.resolve(answer.value);
    });
    this.#child.once('exit', (code, signal) => {
      for (const { reject } of this.#asked.values()) {
        reject(new Error(`${file} ended (${signal ?? code})`));
      }
    });
  }

  ask<Name extends keyof Known & string>(
    name: Name,
    ...args: Parameters<Known[Name]>
  ): Promise<Awaited<ReturnType<Known[Name]>>> {
    const id = ++this.#lastId;
    const asked = Promise.withResolvers<unknown>();
    this.#asked.set(id, asked);
    const question: Question = { id, name, args };
    this.#child.send(question);
    return asked.promise as Promise<Awaited<ReturnType<Known[Name]>>>;
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }
}

export function answer(handlers: Handlers): void {
  process.on('message', async ({ id, name, args }: Question) => {
    const send = (message: Answer) => process.send?.(message);
    try {
      send({ id, value: await handlers[name]?.(...args) });
    } catch (error) {
      send({ id, error: String(error) });
    }
  });
  process.once('disconnect', () => process.exit());
}
