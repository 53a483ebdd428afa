import { keepPreviousData, type UseQueryResult, useQuery } from '@tanstack/react-query';
import type { Activity, ActivityStep } from '../../api/activity.ts';
import type { Log } from '../../api/log.ts';
import { queryText, RequestError, request } from '../api/request.ts';
import { activityQuestion, type Period } from './overview-address.ts';

/** Of the reader. */
export const ownZone = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Each look at the counts is an entry of the log of accesses: not more than one a minute. */
const refreshMs = 60_000;

export interface CountedActivity extends Activity {
  readonly step: ActivityStep;
  /** What was asked for, which may be another one than is asked for now. */
  readonly period: Period;
  /** Whose days, weeks and months these are. */
  readonly zone: string;
}

/** What happened in a period up to now, counted again every minute while the page is looked at. */
export function useActivity(log: Log | undefined, period: Period): UseQueryResult<CountedActivity> {
  const name = log?.name;
  return useQuery({
    queryKey: ['activity', name, period.value],
    queryFn: async ({ signal }) => {
      const count = async (zone: string): Promise<CountedActivity> => {
        const question = activityQuestion(period, log!.firstCommitAt, new Date(), zone);
        const path = `/logs/${encodeURIComponent(name!)}/activity${queryText(question)}`;
        return { ...(await request<Activity>(path, signal)), step: question.step, period, zone };
      };
      return await count(ownZone).catch((error: unknown) => {
        // Browsers say Asia/Calcutta; servers without the names of old know Asia/Kolkata alone.
        if (error instanceof RequestError && error.code === 'time-zone') return count('UTC');
        throw error;
      });
    },
    enabled: name !== undefined,
    refetchInterval: refreshMs,
    // The page stays as it is until the other period is there; another log's numbers are never shown for this one.
    placeholderData: (before, query) => (query?.queryKey[1] === name ? keepPreviousData(before) : undefined),
  });
}
