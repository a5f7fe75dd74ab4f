/**
 * Asks the service of this container whether it lives, for ECS: exit code 0 or 1. Reads nothing but PORT, so that it
 * needs neither shell nor curl in the image.
 */
const timeoutMs = 4_000;

try {
  const answer = await fetch(`http://127.0.0.1:${process.env.PORT ?? '8080'}/healthz`, {
    signal: AbortSignal.timeout(timeoutMs),
  });
  process.exitCode = answer.ok ? 0 : 1;
} catch (error) {
  process.stderr.write(`healthcheck: ${String(error)}\n`);
  process.exitCode = 1;
}
