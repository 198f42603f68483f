/** The Worker's entry: the HTTP surface, and the Durable Object of every room. */
import { app } from './app.ts';

export { Room } from './room/durable-object.ts';
export default app;
