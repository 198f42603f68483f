/** A certificate for localhost that is its own authority, made by the tool of the JDK. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

export const KEYSTORE_PASSWORD = 'changeit';

const execute = promisify(execFile);

/** @returns a PKCS #12 file with the key, and a PEM file with the certificate. */
export async function certify(folder: string): Promise<{ keystore: string; caFile: string }> {
  const keystore = join(folder, 'broker.p12');
  const caFile = join(folder, 'ca.pem');
  const key = ['-keystore', keystore, '-storepass', KEYSTORE_PASSWORD, '-alias', 'broker'];
  const kind = ['-keyalg', 'EC', '-storetype', 'PKCS12', '-validity', '30'];
  const name = ['-dname', 'CN=localhost', '-ext', 'SAN=dns:localhost'];
  await execute('keytool', ['-genkeypair', ...kind, ...name, ...key]);
  await execute('keytool', ['-exportcert', '-rfc', '-file', caFile, ...key]);
  return { keystore, caFile };
}
