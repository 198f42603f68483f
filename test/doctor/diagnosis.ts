/** The doctor as a test asks it, and what every diagnosis must be. */
import { expect } from 'vitest';
import { examine, type Finding } from '../../bridge/doctor/examine.ts';
import { printed } from '../../bridge/doctor/print.ts';

/** An answer that does come takes far less, also on a busy machine; what never comes is not waited for longer. */
const PATIENCE_MS = 5_000;

export interface Diagnosis {
  readonly findings: readonly Finding[];
  /** What is wrong: `check: code`, in the order of the checks. */
  readonly troubles: readonly string[];
  /** Which checks were not tried, each with its cause. */
  readonly skipped: Readonly<Record<string, string>>;
  /** What a check says to the operator. */
  said(check: string): string;
}

/** @param aheadMs is how far the clock of the doctor's host is ahead. */
export async function diagnose(
  env: Readonly<Record<string, string>>,
  { aheadMs = 0, patienceMs = PATIENCE_MS } = {},
): Promise<Diagnosis> {
  const findings = await examine({ env, now: () => Date.now() + aheadMs, patienceMs });
  const text = printed(findings);
  for (const secret of secretsOf(env)) {
    expect(text).not.toContain(secret);
    expect(JSON.stringify(findings)).not.toContain(secret);
  }
  for (const finding of findings) {
    if (finding.status === 'failed' || finding.status === 'warning') {
      expect(finding.remedy, `a remedy of ${finding.code}`).toMatch(/^[A-Z].*\.$/s);
    }
  }
  return {
    findings,
    troubles: findings.flatMap((finding) =>
      'code' in finding && finding.code !== undefined ? [`${finding.check}: ${finding.code}`] : [],
    ),
    skipped: Object.fromEntries(
      findings.flatMap((finding) =>
        finding.status === 'skipped' ? [[finding.check, finding.because]] : [],
      ),
    ),
    said: (check) => printed(findings.filter((finding) => finding.check === check)),
  };
}

function secretsOf(env: Readonly<Record<string, string>>): string[] {
  return [env.INGEST_SECRET, env.PUBLISHER_SECRET, env.KAFKA_SASL_PASSWORD]
    .flatMap((value) => (value ?? '').split(/[\s,]+/))
    .filter((value) => value !== '' && value !== env.KAFKA_SASL_USERNAME);
}
