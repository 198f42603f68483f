/**
 * The secrets of the local stack. They are public: a Worker that is not local refuses to run with
 * them, and `npm run deploy` refuses to put them anywhere.
 */
export const DEVELOPMENT_INGEST_SECRET = 'whsec_ZGV2ZWxvcG1lbnQtb25seS1pbmdlc3Qtc2VjcmV0LTE=';
export const DEVELOPMENT_PUBLISHER_SECRET = 'whsec_ZGV2ZWxvcG1lbnQtb25seS1wdWJsaXNoLXNlY3JldC0x';
export const DEVELOPMENT_JWT_SECRET = 'development-only-jwt-secret-never-deploy-it';

export const DEVELOPMENT_SECRETS: ReadonlySet<string> = new Set([
  DEVELOPMENT_INGEST_SECRET,
  DEVELOPMENT_PUBLISHER_SECRET,
  DEVELOPMENT_JWT_SECRET,
]);
