import 'reflect-metadata';
import type { Server } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { bemiContext } from '@bemi-db/context/nest';
import {
  type ArgumentsHost,
  Catch,
  Controller,
  type ExecutionContext,
  Module,
  Param,
  Post,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Request, Response } from 'express';
import type { FrameworkUnderTest } from '../framework-under-test.ts';
import { post, urlOf } from '../http-server.ts';
import { contextFor, type Visits } from '../visits.ts';

const STRANGER = { userId: 'dave', ipAddress: '203.0.113.7', requestId: 'r' };

type Identified = Request & { user?: string | undefined };

/** Decorators are called as the functions that they are: the syntax is not one that Node can strip. */
function moduleOf(visits: Visits): new () => object {
  class VisitController {
    async one(id: string): Promise<string> {
      await visits.one(Number(id));
      return 'ok';
    }
    async two(id: string): Promise<string> {
      await visits.two(Number(id));
      return 'ok';
    }
    fail(): never {
      throw new Error('a failure');
    }
  }
  const { prototype } = VisitController;
  for (const route of ['one', 'two', 'fail'] as const) {
    const descriptor = Object.getOwnPropertyDescriptor(prototype, route)!;
    Post(route === 'fail' ? 'fail' : `${route}/:id`)(prototype, route, descriptor);
    if (route !== 'fail') Param('id')(prototype, route, 0);
  }
  Controller('visits')(VisitController);
  class VisitModule {}
  Module({ controllers: [VisitController] })(VisitModule);
  return VisitModule;
}

const guard = {
  async canActivate(execution: ExecutionContext): Promise<boolean> {
    await delay(1);
    const request = execution.switchToHttp().getRequest<Identified>();
    request.user = request.get('x-user-id');
    return true;
  },
};

export const nestApplication: FrameworkUnderTest = {
  async start(visits) {
    const app = await NestFactory.create<NestExpressApplication>(moduleOf(visits), { logger: false });
    app.set('trust proxy', 'loopback');
    app.useGlobalGuards(guard);
    app.useGlobalInterceptors(
      bemiContext((execution: ExecutionContext) => {
        const request = execution.switchToHttp().getRequest<Identified>();
        return contextFor({
          userId: request.user,
          ipAddress: request.ip,
          endpoint: `${execution.getClass().name}.${execution.getHandler().name}`,
          requestId: request.get('x-request-id'),
        });
      }),
    );
    class VisitFilter {
      async catch(_error: unknown, host: ArgumentsHost): Promise<void> {
        await visits.one(100_000);
        host.switchToHttp().getResponse<Response>().send('written');
      }
    }
    Catch()(VisitFilter);
    app.useGlobalFilters(new VisitFilter());
    await app.listen(0, '127.0.0.1');
    const url = `${urlOf(app.getHttpServer() as Server)}/visits`;
    return {
      endpoint: (route) => `VisitController.${route}`,
      send: async (route, id, sender) => void (await post(`${url}/${route}/${id}`, { id }, sender)),
      particular: {
        'an exception filter has the context': {
          run: () => post(`${url}/fail`, {}, STRANGER),
          recorded: { 100000: { ...STRANGER, endpoint: 'VisitController.fail' } },
        },
      },
      close: () => app.close(),
    };
  },
};
