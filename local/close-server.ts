import type { Server } from 'node:http';

/** Answers under way get this long; then their connections are cut, so that Ctrl-C always ends. */
const closeGraceMs = 1_000;
/** A connection that becomes idle while the server closes is not closed by Node itself; this is how often we look. */
const idleCheckMs = 20;

/** Stops taking requests, lets those under way finish, and resolves when every connection is gone. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    const idle = setInterval(() => server.closeIdleConnections(), idleCheckMs);
    const cut = setTimeout(() => server.closeAllConnections(), closeGraceMs);
    server.close((error) => {
      clearInterval(idle);
      clearTimeout(cut);
      if (error) reject(error);
      else resolve();
    });
    server.closeIdleConnections();
  });
}
