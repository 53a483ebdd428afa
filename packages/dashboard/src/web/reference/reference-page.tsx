import { PageHeading } from '../elements/page-heading.tsx';

/** What the API answers. */
export function ReferencePage() {
  return <PageHeading title="API" />;
}
