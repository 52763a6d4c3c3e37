import { svelte } from '@sveltejs/vite-plugin-svelte';
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

// The program that serves these files compresses nothing: each lies beside its .gz and .br.
function compressed(): Plugin {
  const squeeze = (file: string) => {
    const bytes = fs.readFileSync(file);
    if (bytes.length < 400) return;
    fs.writeFileSync(file + '.gz', zlib.gzipSync(bytes, { level: 9 }));
    fs.writeFileSync(file + '.br', zlib.brotliCompressSync(bytes));
  };
  return {
    name: 'compressed',
    apply: 'build',
    closeBundle() {
      const dist = path.resolve(import.meta.dirname, 'dist');
      for (const entry of fs.readdirSync(dist, { recursive: true, withFileTypes: true })) {
        if (entry.isFile() && /\.(js|css|html|svg|txt)$/.test(entry.name)) squeeze(path.join(entry.parentPath, entry.name));
      }
    },
  };
}

export default defineConfig({
  plugins: [svelte(), compressed()],
  build: {
    target: 'es2023',
    cssCodeSplit: false,       // One style sheet: 'style-src self' and no flash on a lazy route.
    assetsInlineLimit: 0,      // Nothing as data: in scripts or styles.
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { proxy: { '/api': 'http://127.0.0.1:30001' } },
  test: { include: ['src/**/*_test.ts', 'test/*_test.ts'], environment: 'node' },
} as Parameters<typeof defineConfig>[0]);
