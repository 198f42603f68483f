/** The findings for people. */
import type { Finding } from './examine.ts';

const STATUS_WIDTH = 9;
const CHECK_WIDTH = 27;
const INDENT = ' '.repeat(STATUS_WIDTH + CHECK_WIDTH);

export function printed(findings: readonly Finding[]): string {
  return [...findings.map(lineOf), '', summaryOf(findings)].join('\n');
}

function lineOf(finding: Finding): string {
  const head = finding.status.padEnd(STATUS_WIDTH) + finding.check.padEnd(CHECK_WIDTH);
  if (finding.status === 'skipped') return `${head}It was not tried because of ${finding.because}.`;
  const { subject, message, code, remedy } = finding;
  const line = `${head}${subject === undefined ? '' : `${subject}: `}${message}`;
  if (code === undefined) return line;
  return `${line}\n${INDENT}${code}${remedy === undefined ? '' : `. ${remedy}`}`;
}

function summaryOf(findings: readonly Finding[]): string {
  const count = (wanted: Finding['status']) =>
    findings.filter(({ status }) => status === wanted).length;
  const [failed, warnings, skipped] = [count('failed'), count('warning'), count('skipped')];
  if (failed + warnings + skipped === 0) return 'All is well.';
  return `Failed: ${failed}. Warnings: ${warnings}. Skipped: ${skipped}.`;
}
