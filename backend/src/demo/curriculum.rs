//! The courses and lessons of the demo academy.

use domain::Text;

/// A course of the academy.
pub struct Course {
    pub slug: &'static str,
    pub title: Text,
    /// The titles of its lessons, in order.
    pub lessons: [&'static str; 10],
}

/// All courses. Some titles contain what breaks careless exports: quotes, commas, leading signs and emoji.
pub const COURSES: [Course; 6] = [
    Course {
        slug: "ingles-conversacional-b1",
        title: Text::new("Inglés conversacional B1", "Conversational English B1"),
        lessons: [
            "Presentarse sin miedo",
            "Hablar del fin de semana",
            "Pedir, preguntar y agradecer",
            "«Used to» y otras costumbres",
            "Entrevistas de trabajo 💼",
            "Contar una historia",
            "Opinar y disentir",
            "Llamadas y reuniones",
            "Viajes: aeropuerto, hotel, imprevistos",
            "Ensayo general",
        ],
    },
    Course {
        slug: "python-desde-cero",
        title: Text::new("Python desde cero", "Python from Scratch"),
        lessons: [
            "Instalar y dar los primeros pasos",
            "Variables, números y texto",
            "Decidir con if",
            "Repetir con for y while",
            "Listas, tuplas y diccionarios",
            "Funciones propias",
            "Leer y escribir archivos",
            "Errores: leerlos antes de buscarlos",
            "Módulos y paquetes",
            "Proyecto: \"mi primera API\"",
        ],
    },
    Course {
        slug: "datos-con-hojas-de-calculo",
        title: Text::new("Datos con hojas de cálculo", "Data with Spreadsheets"),
        lessons: [
            "Ordenar, filtrar, congelar",
            "=SUMA(A1:A9): la primera fórmula",
            "Referencias absolutas y relativas",
            "Buscar datos en otra tabla",
            "Limpiar textos y fechas",
            "Tablas dinámicas",
            "Gráficos que dicen algo",
            "Validar lo que otros escriben",
            "Automatizar sin programar",
            "Un cuadro de mando de principio a fin",
        ],
    },
    Course {
        slug: "diseno-de-interfaces",
        title: Text::new("Diseño de interfaces", "Interface Design"),
        lessons: [
            "Mirar antes de dibujar",
            "Jerarquía visual",
            "Tipografía para pantallas",
            "Color y contraste",
            "Retículas, márgenes y ritmo",
            "Formularios que se terminan",
            "Diseñar para el teclado y el lector de pantalla",
            "Prototipos en una tarde",
            "Probar con cinco personas",
            "Entregar a desarrollo 🎨",
        ],
    },
    Course {
        slug: "marketing-digital",
        title: Text::new("Marketing digital", "Digital Marketing"),
        lessons: [
            "A quién le hablas",
            "La propuesta en una frase",
            "Contenido, canales y calendario",
            "Correo: asunto, texto, momento",
            "Buscadores sin trucos",
            "Anuncios con poco presupuesto",
            "Medir lo que importa",
            "Pruebas A/B, bien hechas",
            "Comunidades y señales sociales",
            "Plan de 90 días",
        ],
    },
    Course {
        slug: "finanzas-personales",
        title: Text::new("Finanzas personales", "Personal Finance"),
        lessons: [
            "Saber en qué se va el dinero",
            "El colchón de emergencia",
            "Deudas: cuál primero",
            "Interés compuesto, con números",
            "Comparar cuentas y comisiones",
            "Ahorrar sin pensarlo",
            "Invertir: lo mínimo que hay que saber",
            "Alquilar o comprar",
            "Impuestos sin sobresaltos",
            "Tu plan para el año que viene",
        ],
    },
];
