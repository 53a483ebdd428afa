import { PageHeading } from '../elements/page-heading.tsx';

/** The life of one record. */
export function RecordPage() {
  return <PageHeading title="Record" />;
}
