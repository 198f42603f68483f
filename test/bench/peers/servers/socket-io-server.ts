/** A peer: kafkajs and Socket.IO with its rooms, over WebSockets only. */
import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { serveEvents } from './consume.ts';

const server = createServer();
const io = new Server(server, { transports: ['websocket'] });
io.on('connection', (socket) => {
  socket.on('join', async (rooms: string[], done: () => void) => {
    await socket.join(rooms);
    done();
  });
});
await serveEvents(server, (event) => {
  io.to(`price:${event.symbol}`).to('price_updates').emit(event.type, event);
});
