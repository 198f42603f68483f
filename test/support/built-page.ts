/** Builds the live page before the tests, as the Worker imports it. */
export { buildPage as setup } from '../../worker/deploy/build-page.ts';
