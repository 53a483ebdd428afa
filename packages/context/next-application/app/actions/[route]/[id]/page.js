import { visit } from '../../actions.js';

// biome-ignore lint/style/noDefaultExport: Next.js calls the default export.
export default async function Page({ params }) {
  const { route, id } = await params;
  return (
    <form action={visit}>
      <input name="route" defaultValue={route} />
      <input name="id" defaultValue={id} />
    </form>
  );
}
