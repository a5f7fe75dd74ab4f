// A service for the tests of lib/runtime/run-service.ts. NAME says how it behaves.
import { text } from '../../lib/runtime/config.ts';
import { runService } from '../../lib/runtime/run-service.ts';
import { commonSettings, defineService } from '../../lib/runtime/service.ts';

const sample = defineService({
  name: 'sample',
  kind: 'worker',
  summary: 'does nothing',
  settings: { ...commonSettings, NAME: text('how to behave') },
});

await runService(sample, async ({ config, log }) => ({
  run: async (signal) => {
    if (config.NAME === 'reject') void Promise.reject(new Error('nobody waits'));
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    if (config.NAME === 'hang') await new Promise<never>(() => {});
    log.info('drained');
  },
}));
