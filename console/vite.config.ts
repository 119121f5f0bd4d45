import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// Everything is a file of our own origin: no inline script, no data: URLs, so that the strictest
// content security policy holds.
export default defineConfig({
  plugins: [react()],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    manifest: 'manifest.json',
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { port: 5180, proxy: { '/api': 'http://127.0.0.1:2580', '/console/v1': 'http://127.0.0.1:2580' } },
});
