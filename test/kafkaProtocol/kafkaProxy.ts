import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

const host = '127.0.0.1';

/**
 * Starts a proxy in front of a broker on this machine. Clients that know its address reach the
 * broker only through it, because it puts its own port in place of the broker's in all answers.
 * @param broker host:port
 */
export async function startKafkaProxy(broker: string) {
  const brokerPort = Number(broker.slice(broker.lastIndexOf(':') + 1));
  const open = new Set<{ sockets: Socket[]; isSilent: boolean }>();
  const server = createServer(client => {
    const onward = connect({ host, port: brokerPort });
    const pair = { sockets: [client, onward], isSilent: false };
    open.add(pair);
    for (const socket of pair.sockets) {
      socket.on('error', () => {});
      socket.on('close', () => {
        open.delete(pair);
        if (!pair.isSilent) for (const other of pair.sockets) other.destroy();
      });
    }
    client.on('data', bytes => {
      if (!pair.isSilent) onward.write(bytes);
    });
    let received = Buffer.alloc(0);
    onward.on('data', bytes => {
      received = Buffer.concat([received, bytes as Buffer]);
      while (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) {
        const end = 4 + received.readInt32BE(0);
        if (!pair.isSilent) client.write(withPort(received.subarray(0, end), brokerPort, port));
        received = received.subarray(end);
      }
    });
  });
  server.listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return {
    brokers: `${host}:${port}`,
    /**
     * Leaves the connections open but lets them carry nothing any more, like a firewall that has
     * forgotten them. New connections work.
     * @returns their number
     */
    silence(): number {
      for (const pair of open) pair.isSilent = true;
      return open.size;
    },
    stop(): void {
      server.close();
      for (const { sockets } of open) for (const socket of sockets) socket.destroy();
    },
  };
}

/** Replaces the port behind each mention of the host. */
function withPort(answer: Buffer, brokerPort: number, port: number): Buffer {
  const address = Buffer.alloc(host.length + 4);
  address.write(host);
  address.writeInt32BE(brokerPort, host.length);
  for (let at = answer.indexOf(address); at >= 0; at = answer.indexOf(address, at + 1))
    answer.writeInt32BE(port, at + host.length);
  return answer;
}
