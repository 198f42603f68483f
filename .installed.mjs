/**
 * Says what to do when the packages are not installed, before Node fails over the first file: the scripts
 * of package.json load it first. It is plain JavaScript, because an older Node reads nothing else.
 */
import { existsSync } from 'node:fs';

/** The first Node that runs TypeScript as it is. The packages bring a newer one. */
const LEAST_NODE = 24;

const isInstalled = existsSync(new URL('node_modules/kafkajs', import.meta.url));
if (!isInstalled || Number.parseInt(process.versions.node, 10) < LEAST_NODE) {
  console.error(
    isInstalled
      ? `This is Node ${process.versions.node}. The scripts need Node ${LEAST_NODE}, which \`npm ci\` brings unless it is told to ignore install scripts. Run \`npm ci\`, and start by \`npm run\`.`
      : 'The packages are not installed. Run `npm ci` first.',
  );
  process.exit(1);
}
