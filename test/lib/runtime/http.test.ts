import { expect } from 'chai';
import { connect } from 'node:net';
import { type HttpServer, type Route, startHttp } from '../../../lib/runtime/http.ts';
import { silentLog } from '../../../lib/runtime/log.ts';
import { HttpProblem } from '../../../lib/runtime/problem.ts';

const routes: readonly Route[] = [
  {
    method: 'GET',
    path: '/things/:id',
    handle: async ({ params }) => ({ status: 200, body: { id: params['id'] } }),
  },
  {
    method: 'POST',
    path: '/things',
    maxBodyBytes: 10,
    handle: async ({ body }) => ({ status: 201, body: body.toString() }),
  },
  {
    method: 'GET',
    path: '/problem',
    handle: async () => {
      throw new HttpProblem(422, 'wrong', 'Wrong', 'a is wrong', {
        errors: [{ detail: 'no', pointer: '#/a' }],
      });
    },
  },
  {
    method: 'GET',
    path: '/broken',
    handle: async () => {
      throw new Error('the secret cause');
    },
  },
  {
    method: 'GET',
    path: '/lines',
    handle: async () => ({ status: 200, headers: { 'content-type': 'text/plain' }, body: lines() }),
  },
];

async function* lines(): AsyncGenerator<string> {
  yield 'one\n';
  yield 'two\n';
}

describe('the HTTP server', () => {
  let server: HttpServer;
  before(async () => {
    server = await startHttp({ host: '127.0.0.1', port: 0, routes, log: silentLog });
  });
  after(() => server.close());

  const get = (path: string, init: RequestInit = {}) => fetch(`http://127.0.0.1:${server.port}${path}`, init);

  it('decodes the named parts of a path', async () => {
    expect(await (await get('/things/a%2Fb%20c')).json()).to.deep.equal({ id: 'a/b c' });
  });

  it('answers 400 to broken percent-encoding', async () => {
    expect((await get('/things/%zz')).status).to.equal(400);
  });

  it('answers 404 and 405 as problems that say what there is', async () => {
    const missing = await get('/nothing');
    expect(missing.headers.get('content-type')).to.equal('application/problem+json');
    expect((await missing.json()) as object).to.include({ status: 404, code: 'no-such-path' });
    const wrong = await get('/things', { method: 'GET' });
    expect([wrong.status, wrong.headers.get('allow')]).to.deep.equal([405, 'POST']);
  });

  it('refuses a body above the limit of its route', async () => {
    expect((await get('/things', { method: 'POST', body: '0123456789' })).status).to.equal(201);
    expect((await get('/things', { method: 'POST', body: '01234567890' })).status).to.equal(413);
  });

  it('gives a thrown problem as RFC 9457 with its pointers', async () => {
    const body = (await (await get('/problem')).json()) as Record<string, unknown>;
    expect(body['type']).to.equal('urn:weir:problem:wrong');
    expect(body['errors']).to.deep.equal([{ detail: 'no', pointer: '#/a' }]);
    expect(body['instance']).to.match(/^urn:uuid:/);
  });

  it('keeps the cause of an unexpected failure to the log', async () => {
    const response = await get('/broken');
    expect(response.status).to.equal(500);
    expect(await response.text()).to.not.include('secret');
  });

  it('streams a body as it comes', async () => {
    expect(await (await get('/lines')).text()).to.equal('one\ntwo\n');
  });

  it('names a port that is taken', async () => {
    const second = startHttp({ host: '127.0.0.1', port: server.port, routes, log: silentLog });
    const error = await second.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).to.include({ code: 'port-in-use' });
    expect(String(error)).to.include(String(server.port));
  });

  it('lets a request in flight finish when it closes, and takes no new one', async () => {
    let release: () => void = () => {};
    const waiting = new Promise<void>((resolve) => {
      release = resolve;
    });
    let arrived: () => void = () => {};
    const inHandler = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const slow: Route = {
      method: 'GET',
      path: '/slow',
      handle: async () => {
        arrived();
        await waiting;
        return { status: 200, body: 'late' };
      },
    };
    const other = await startHttp({ host: '127.0.0.1', port: 0, routes: [slow], log: silentLog });
    const answer = fetch(`http://127.0.0.1:${other.port}/slow`, { headers: { connection: 'close' } });
    await inHandler;
    const closed = other.close();
    const refused = await new Promise<boolean>((resolve) => {
      const socket = connect(other.port, '127.0.0.1', () => resolve(false));
      socket.once('error', () => resolve(true));
    });
    expect(refused).to.equal(true);
    release();
    expect(await (await answer).text()).to.equal('late');
    await closed;
  });
});
