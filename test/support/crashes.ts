/** Thrown in place of a call, or after it took effect, as a process that dies there would see it. */
export class Crash extends Error {}

export interface CrashPlan {
  /** Calls until the crash; the crash happens once. */
  callsLeft: number;
  /** Whether the fatal call takes effect. */
  readonly takesEffect: boolean;
}

/** The same port, with a crash at the call that the plan names. */
export function crashing<T extends object>(port: T, plan: CrashPlan): T {
  return new Proxy(port, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return async (...args: unknown[]): Promise<unknown> => {
        plan.callsLeft -= 1;
        if (plan.callsLeft !== 0) return Reflect.apply(member, target, args);
        if (plan.takesEffect) await Reflect.apply(member, target, args);
        throw new Crash('the process died here');
      };
    },
  });
}
