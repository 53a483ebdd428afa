import { createTheme } from '@mantine/core';

/** Colours of meaning are in page.css. */
export const theme = createTheme({
  primaryColor: 'cyan',
  // Text and buttons in it are to be read on white and on black alike.
  primaryShade: 9,
  autoContrast: true,
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", Ubuntu, sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace',
});
