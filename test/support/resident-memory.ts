/** What a process holds of the machine's memory (proc(5)). */
import { readFileSync } from 'node:fs';

/** In MB. */
export function residentMemory(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) / 1024;
}
