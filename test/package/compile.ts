/** Compiles a use of the packed package as its users do, with a TypeScript of any version. */
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const require = createRequire(import.meta.url);

/** The files whose faults would be ours: the uses, the package, and what its types bring along. */
const OURS = /\/(src|node_modules\/(@moonx-farm\/websocket-gateway|kafkajs|valibot))\//;

export interface Verdict {
  /** Which of our files were judged, by the end of their path. */
  readonly judged: readonly string[];
  readonly complaints: readonly string[];
}

/**
 * Compiles with the TypeScript 5 of `compiler`. The declarations that are ours are judged as
 * `skipLibCheck: false` would have it; what a compiler thinks of others is no matter of ours, and
 * would take most of the time.
 */
export function compile(
  compiler: string,
  project: string,
  files: readonly string[],
  compilerOptions: Readonly<Record<string, unknown>>,
): Verdict {
  const ts = require(compiler);
  const { options, errors } = ts.convertCompilerOptionsFromJson(compilerOptions, project);
  const host = ts.createCompilerHost(options);
  host.getCurrentDirectory = () => project;
  const paths = files.map((file) => join(project, file));
  const program = ts.createProgram(paths, options, host);
  const sources: { fileName: string }[] = program.getSourceFiles();
  const judged = sources.filter(({ fileName }) => OURS.test(fileName));
  const found: unknown[] = [
    errors,
    program.getOptionsDiagnostics(),
    judged.map((file) => program.getSyntacticDiagnostics(file)),
    judged.map((file) => program.getSemanticDiagnostics(file)),
  ].flat(2);
  return {
    judged: judged.map(({ fileName }) => fileName.split('/').slice(-2).join('/')),
    complaints: found.map((each) => ts.formatDiagnostic(each, host)),
  };
}

/** What TypeScript 7, which has no such interface, prints of the whole project. */
export async function complaintsOf(compiler: string, tsconfig: string): Promise<string> {
  const finished = run(process.execPath, [join(compiler, 'bin/tsc'), '--project', tsconfig]);
  return finished.then(
    () => '',
    ({ stdout }) => String(stdout),
  );
}
