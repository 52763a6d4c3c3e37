import './app.css';
import { mount } from 'svelte';
import App from './App.svelte';
import { start_router } from './router.svelte.ts';

start_router();
mount(App, { target: document.getElementById('app')! });
