/** A peer: kafkajs and ws, a set of sockets for each room, each event encoded once. */
import { createServer } from 'node:http';
import { type WebSocket, WebSocketServer } from 'ws';
import { serveEvents } from './consume.ts';

const rooms = new Map<string, Set<WebSocket>>();
const server = createServer();
const sockets = new WebSocketServer({ server, perMessageDeflate: false });

sockets.on('connection', (socket) => {
  let joined: string[] = [];
  socket.on('message', (data) => {
    joined = JSON.parse(String(data)).subscribe;
    for (const room of joined) rooms.set(room, (rooms.get(room) ?? new Set()).add(socket));
    socket.send('{"subscribed":true}');
  });
  socket.on('close', () => {
    for (const room of joined) rooms.get(room)?.delete(socket);
  });
});

await serveEvents(server, (event) => {
  const frame = Buffer.from(JSON.stringify(event));
  for (const room of [`price:${event.symbol}`, 'price_updates']) {
    for (const socket of rooms.get(room) ?? []) socket.send(frame, { binary: false });
  }
});
