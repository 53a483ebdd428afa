import { type MadeContext, withRequestContext } from './request-context.ts';

/** What is used of Nest's ExecutionContext. */
export interface NestExecution {
  getType(): string;
  switchToHttp(): { getRequest(): unknown };
}

/** An interceptor of NestJS 9 or later. */
export interface NestInterceptor<Execution> {
  intercept<Result>(execution: Execution, next: { handle(): Result }): Result | Promise<Awaited<Result>>;
}

/**
 * An interceptor that gives each request, message or resolver's call the context that the function makes of it.
 * Guards have identified the user by then. In HTTP, the context is that of Node's request: exception filters have it
 * too.
 *
 * @param contextOf - if it throws, the request goes on, and its stored context says so.
 *
 * @example
 * app.useGlobalInterceptors(
 *   bemiContext((execution: ExecutionContext) => {
 *     const request = execution.switchToHttp().getRequest<Request>();
 *     return {
 *       userId: request.user?.id,
 *       ipAddress: request.ip,
 *       endpoint: `${execution.getClass().name}.${execution.getHandler().name}`,
 *     };
 *   }),
 * );
 */
export function bemiContext<Execution extends NestExecution>(
  contextOf: (execution: Execution) => MadeContext,
): NestInterceptor<Execution> {
  return {
    intercept: (execution, next) =>
      withRequestContext(
        () => contextOf(execution),
        () => next.handle(),
        nodeRequest(execution),
      ),
  };
}

/** Express's request is Node's; Fastify's holds it. */
function nodeRequest(execution: NestExecution): object | undefined {
  if (execution.getType() !== 'http') return undefined;
  const request = execution.switchToHttp().getRequest();
  if (typeof request !== 'object' || request === null) return undefined;
  return 'raw' in request && typeof request.raw === 'object' && request.raw !== null ? request.raw : request;
}
