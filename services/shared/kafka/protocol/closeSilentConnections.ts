/** What is used here of kafkajs's connection to one broker. */
export interface Connection {
  host: string;
  port: number;
  broker: string;
  requestTimeout: number;
  connectionStatus: string;
  chunks: Buffer[];
  bytesBuffered: number;
  bytesNeeded: number;
  socket?: { destroy(): void };
  logger: { warn(message: string, fields: object): void };
  requestQueue: { destroy(): void };
  authHandlers: { onError(): void } | null;
  isConnected(): boolean;
  connect(): Promise<unknown>;
  send(protocol: object): Promise<unknown>;
  sendAuthRequest(protocol: object): Promise<unknown>;
  rejectRequests(error: Error): void;
}

type ConnectionClosedError = new (
  message: string,
  address: { host: string; port: number },
) => Error;

const lengthBytes = 4;

/**
 * Makes kafkajs close a connection on which a request was not answered in time, so that the next
 * request opens another one. kafkajs would go on with a connection that is open but carries nothing
 * any more, such as one that a firewall has forgotten. Also gives authentication a timeout, and
 * keeps two requests from opening two connections at once.
 */
export function closeSilentConnections(
  prototype: Connection,
  ClosedError: ConnectionClosedError,
): void {
  const { connect, send, sendAuthRequest } = prototype;
  const connecting = new WeakMap<Connection, Promise<unknown>>();

  prototype.connect = function (this: Connection) {
    if (this.isConnected()) return Promise.resolve(true);
    const running = connecting.get(this);
    if (running) return running;
    // The half of an answer that the last connection left is no part of the next answer.
    this.chunks = [];
    this.bytesBuffered = 0;
    this.bytesNeeded = lengthBytes;
    const attempt = connect.call(this).finally(() => connecting.delete(this));
    connecting.set(this, attempt);
    return attempt;
  };

  prototype.send = async function (this: Connection, protocol: object) {
    try {
      return await send.call(this, protocol);
    } catch (error) {
      if ((error as Error).name === 'KafkaJSRequestTimeoutError') {
        closeSilent(this, ClosedError, (error as Error).message);
      }
      throw error;
    }
  };

  prototype.sendAuthRequest = async function (this: Connection, protocol: object) {
    const timer = setTimeout(() => {
      this.authHandlers?.onError();
      closeSilent(this, ClosedError, 'Request of authentication timed out');
    }, this.requestTimeout);
    try {
      return await sendAuthRequest.call(this, protocol);
    } finally {
      clearTimeout(timer);
    }
  };
}

function closeSilent(
  connection: Connection,
  ClosedError: ConnectionClosedError,
  reason: string,
): void {
  if (!connection.isConnected()) return;
  const { broker, host, port } = connection;
  connection.logger.warn(`${reason}; the connection is closed and opened again`, { broker });
  connection.connectionStatus = 'disconnected';
  connection.requestQueue.destroy();
  connection.socket?.destroy();
  connection.rejectRequests(new ClosedError('Kafka did not answer in time', { host, port }));
}
