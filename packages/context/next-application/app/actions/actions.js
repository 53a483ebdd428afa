'use server';

import { bemiActionContext } from '@bemi-db/context/next';
import { headers } from 'next/headers';
import { contextFor, visits } from '../../visits.js';

const withContext = bemiActionContext(async () => contextFor(await headers(), 'visit'));

export const visit = withContext(async (form) => {
  await visits[form.get('route')](Number(form.get('id')));
});
