import { Alert, Stack } from '@mantine/core';
import { type UseMutationResult, useMutation } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { RequestError } from '../api/request.ts';

/** Sends something once at a time. */
export function useSend<T, R>(
  send: (what: T) => Promise<R>,
  onSuccess: (result: R, what: T) => unknown,
): UseMutationResult<R, Error, T> {
  return useMutation<R, Error, T>({ mutationFn: send, onSuccess });
}

interface FormProps {
  readonly onSubmit: () => void;
  readonly error: Error | null;
  readonly children: ReactNode;
}

/** Fields, and above them why the server didn't take them. */
export function Form({ onSubmit, error, children }: FormProps) {
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
    >
      <Stack gap="sm">
        {error && <Refusal error={error} />}
        {children}
      </Stack>
    </form>
  );
}

/** In the server's words. Whoever fills in a form knows what it was about. */
function Refusal({ error }: { readonly error: Error }) {
  const fix = error instanceof RequestError ? error.fix : undefined;
  return (
    <Alert color="red" variant="outline" role="alert" title={error.message} py="xs">
      {fix}
    </Alert>
  );
}
