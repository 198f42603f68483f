/** A process whose event loop never turns again, under a deadline of 200 ms. */
import { killAfter } from '../../bridge/deadline.ts';

killAfter(200);
const spin = (): Promise<void> => Promise.resolve().then(spin);
await spin();
