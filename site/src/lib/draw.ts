// Cells of a map on a canvas: the shapes of parts/Shape.svelte, as small as five pixels.

export type Colours = Record<'text-3' | 'settled' | 'running' | 'waiting' | 'disagreed' | 'failed' | 'idle' | 'hairline' | 'text' | 'link' | 'card', string>;
const kNames: (keyof Colours)[] = ['text-3', 'settled', 'running', 'waiting', 'disagreed', 'failed', 'idle', 'hairline', 'text', 'link', 'card'];

// The theme's colours as they are now.
export function colours_of(element: Element): Colours {
  const style = getComputedStyle(element);
  return Object.fromEntries(kNames.map((name) => [name, style.getPropertyValue(`--${name}`).trim()])) as Colours;
}

// Sharp on any screen: the canvas has the device's pixels, the drawing goes on in CSS's.
export function prepare(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D | null {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  // Without the graphics card: a few thousand squares need none, and a lost one leaves an empty map.
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context?.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}

export type Figure = 'disc' | 'ring' | 'triangle' | 'bars' | 'cross' | 'diamond' | 'square' | 'frame' | 'dot' | 'hub';

// Within the square of `size` at (x, y).
export function figure(context: CanvasRenderingContext2D, which: Figure, x: number, y: number, size: number, colour: string) {
  context.fillStyle = context.strokeStyle = colour;
  const half = size / 2, line = Math.max(1, size / 8);
  context.lineWidth = line;
  context.beginPath();
  switch (which) {
    case 'square': context.fillRect(x, y, size, size); return;
    case 'frame': context.strokeRect(x + line / 2, y + line / 2, size - line, size - line); return;
    case 'bars': context.fillRect(x + size * 0.1, y, size * 0.3, size); context.fillRect(x + size * 0.6, y, size * 0.3, size); return;
    case 'disc': context.arc(x + half, y + half, half, 0, 2 * Math.PI); break;
    case 'dot': context.arc(x + half, y + half, Math.max(0.75, size / 8), 0, 2 * Math.PI); break;
    case 'triangle': context.moveTo(x + size * 0.08, y); context.lineTo(x + size, y + half); context.lineTo(x + size * 0.08, y + size); context.closePath(); break;
    case 'diamond': context.moveTo(x + half, y - size * 0.08); context.lineTo(x + size * 1.08, y + half); context.lineTo(x + half, y + size * 1.08); context.lineTo(x - size * 0.08, y + half); context.closePath(); break;
    case 'ring': case 'hub': context.arc(x + half, y + half, half - line / 2, 0, 2 * Math.PI); context.stroke(); if (which === 'ring') return; context.beginPath(); context.arc(x + half, y + half, half / 2.4, 0, 2 * Math.PI); break;
    case 'cross':
      context.lineWidth = Math.max(1.5, size / 5);
      context.moveTo(x + size * 0.1, y + size * 0.1); context.lineTo(x + size * 0.9, y + size * 0.9);
      context.moveTo(x + size * 0.9, y + size * 0.1); context.lineTo(x + size * 0.1, y + size * 0.9);
      context.stroke();
      return;
  }
  context.fill();
}
